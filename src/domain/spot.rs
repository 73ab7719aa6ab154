//! What can be answered on the spot: the small knowledge base of desk and units.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::instant::Instant;

/// An answer as its unit gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpotAnswer {
    /// Its code.
    pub code: String,
    /// Whose answer it is.
    pub unit: String,
    /// To which kind of matter.
    pub category: String,
    /// The question, in short.
    pub title: String,
    /// What is said to the caller.
    pub body: String,
    /// Words by which it is found besides its title; separated by spaces.
    #[serde(default)]
    pub words: String,
    /// Until when it holds, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Instant>,
}

/// A version of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotVersion {
    /// 1 for the first.
    pub version: i64,
    /// What it says.
    pub answer: SpotAnswer,
    /// Who wrote it.
    pub made_by: String,
    /// When.
    pub made_at: Instant,
    /// When it was taken back, if it was.
    pub ended_at: Option<Instant>,
}

impl SpotVersion {
    /// Whether it may be told at an instant.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.ended_at.is_none() && self.answer.valid_until.is_none_or(|until| now < until)
    }
}

impl SpotAnswer {
    /// How well it answers a text: words of its own that stand there count three, pairs of letters that
    /// the title shares with it one, a suggested category (the likeliest first) up to three more. 0: not
    /// at all.
    #[must_use]
    pub fn fits(&self, text: &str, categories: &[&str]) -> usize {
        let words = self.words.split_whitespace().filter(|word| text.contains(word)).count();
        let pairs = |text: &str| {
            let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
            letters.windows(2).map(<[char]>::to_vec).collect::<BTreeSet<_>>()
        };
        let shared = pairs(&self.title).intersection(&pairs(text)).count();
        let rank = categories.iter().take(3).position(|code| *code == self.category);
        let of_words = 3 * words + shared;
        // A category alone is a guess; with words it decides between two.
        match rank {
            Some(rank) => of_words + 3 - rank,
            None => of_words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_by_its_words_its_title_and_its_category() {
        let answer = SpotAnswer {
            category: "labour.wage".to_owned(),
            title: "拖欠工资怎样投诉".to_owned(),
            words: "欠薪 讨薪".to_owned(),
            ..SpotAnswer::default()
        };
        assert_eq!(answer.fits("停水了", &[]), 0);
        assert!(answer.fits("老板拖欠工资三个月", &[]) >= 3);
        assert!(answer.fits("讨薪找哪个", &["labour.wage"]) > answer.fits("讨薪找哪个", &[]));
        assert!(answer.fits("讨薪", &["x", "labour.wage"]) < answer.fits("讨薪", &["labour.wage"]));
    }
}
