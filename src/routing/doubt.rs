//! Whether a call is diverted, kept or asked about: what the models weigh, what a plain word says without
//! them, and the question that settles the rest.

use std::collections::BTreeSet;

use super::features::Read;
use super::guard::{Reading, Told};
use super::knowledge::SignKind;
use super::normal::PAUSE;
use super::router::Router;
use super::suggestion::{Reason, Verdict, quoted, reason};
use crate::domain::Text;

/// What is to be done with a call, and how likely it is whose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighed {
    /// What is to be done.
    pub(super) verdict: Verdict,
    /// The probability that the police keep it …
    pub(super) police: f32,
    /// … and that it may be diverted.
    pub(super) divert: f32,
    /// Whether somebody seems to be in danger now.
    pub(super) emergency: bool,
    /// Whether it is rather a matter of the police without danger.
    pub(super) calm: bool,
}

impl Router {
    /// Judges a text that can be read.
    pub(super) fn judge(&self, read: &Read) -> Weighed {
        let (divert, kept, danger) = self.weigh(read);
        let police = 1.0 - divert;
        let told = &read.reading.told;
        let brief = self.is_brief(read);
        // Plain words keep what the models do not take for something else; then a question does.
        let alarm = brief && is_alarm(&read.reading) && police >= CLEARLY_NOT;
        let verdict = if police >= self.tuning.keep || alarm {
            Verdict::Keep
        } else if police >= self.tuning.ask
            || danger >= self.tuning.ask_danger
            || unsettled(told).is_some()
            || offence(told).is_some()
            || self.is_strange(read)
            || brief && told.iter().any(|one| one.plain && one.manner.is_live())
        {
            Verdict::Ask
        } else {
            Verdict::Divert
        };
        let emergency = match verdict {
            Verdict::Keep => alarm || danger >= kept,
            Verdict::Ask => danger > kept,
            Verdict::Divert => false,
        };
        // What a plain word keeps is at least as likely theirs as what the models keep.
        let police = if alarm { police.max(self.tuning.keep) } else { police };
        Weighed { verdict, police, divert: 1.0 - police, emergency, calm: kept > danger }
    }

    /// Whether a text has a few words only: the models have learned from longer ones and are timid about
    /// them, so that plain words go before what they say.
    fn is_brief(&self, read: &Read) -> bool {
        read.text.iter().filter(|one| **one != PAUSE).count() <= self.tuning.alarm_length
    }

    /// Whether nothing can be read in a text: it says too little or speaks another language, and no sign
    /// stands in it.
    pub(super) fn cannot_read(&self, read: &Read) -> bool {
        let nothing = read.text.iter().all(|one| *one == PAUSE);
        read.reading.told.is_empty() && (nothing || self.is_strange(read))
    }

    /// Whether nobody has seen most of a text before.
    fn is_strange(&self, read: &Read) -> bool {
        let least = self.tuning.seen_pairs;
        let pairs = read.text.windows(2).filter(|pair| !pair.contains(&PAUSE));
        let pairs: BTreeSet<String> =
            pairs.map(|pair| format!("n:{}", pair.iter().collect::<String>())).collect();
        let known =
            pairs.iter().filter(|pair| self.of_guard.iter().any(|judge| judge.knows(pair))).count();
        let word = read.words.iter().any(|(word, _)| word.chars().count() > 1);
        least > 0 && (known * 3 < pairs.len() || known < least && !word)
    }
}

/// Below this share the models take plain words for something else, timid as they are about a few.
const CLEARLY_NOT: f32 = 0.05;

/// After a sign that a few words are about so many characters may follow: 着火了, 掉河里了啊. Where more
/// do, it may only name what they are about (火灾后补助).
const TAIL: usize = 2;

/// Whether a few words tell of danger plainly, as happening, and of nothing that could take it back
/// (我要自杀).
fn is_alarm(reading: &Reading) -> bool {
    let Reading { told, over, drill, beasts, past, .. } = reading;
    let live = |one: &Told| one.manner.is_live() && !one.doubtful;
    let plain = |one: &Told| one.plain && one.kind == SignKind::Danger && one.tail <= TAIL;
    let bare = over.is_empty() && !drill && !beasts && !past;
    bare && told.iter().any(plain) && told.iter().all(live)
}

/// The danger that one question must settle, whatever the models say: told as perhaps happening now, or
/// again, or taken back in words that may mean something else; or told plainly as happening.
fn unsettled(told: &[Told]) -> Option<&Told> {
    let open = |one: &&Told| one.doubtful || one.plain && one.manner.is_live();
    told.iter().filter(|one| one.kind == SignKind::Danger).find(open)
}

/// An offence that was done, over or not: it is the police's matter to know of.
fn offence(told: &[Told]) -> Option<&Told> {
    told.iter().find(|one| one.offence)
}

/// Why a call is not diverted.
pub(super) fn held_for(told: &[Told]) -> Reason {
    if let Some((kind, words)) = gravest(told) {
        let (code, zh, en) = match kind {
            SignKind::Danger => {
                ("danger", "且未说已过去或已排除", "is told as present, and nothing takes it back")
            }
            SignKind::Crime => ("crime", "可能涉及违法犯罪", "may be an offence"),
            SignKind::Police => ("police", "属公安机关办理的事项", "is a matter of the police"),
        };
        return reason(code, &format!("说到{words}，{zh}"), &format!("{words} {en}"));
    }
    if let Some(Told { word, .. }) = unsettled(told) {
        return reason(
            "danger",
            &format!("说到“{word}”，话里不能断定没有或已排除"),
            &format!("“{word}” is told, and the words around it do not surely take it back"),
        );
    }
    if let Some(Told { word, .. }) = offence(told) {
        return reason(
            "crime",
            &format!("说到“{word}”，即使已经过去也可能属于违法犯罪"),
            &format!("“{word}” may be an offence, though it is over"),
        );
    }
    reason("model", "与以往由公安处置的警情相似", "like calls that stayed with the police")
}

/// What is told as happening: the gravest kind, and its words.
fn gravest(told: &[Told]) -> Option<(SignKind, String)> {
    let live = || told.iter().filter(|one| one.manner.is_live());
    let kind = live().map(|one| one.kind).min()?;
    let words = live().filter(|one| one.kind == kind).map(|one| one.word.as_str());
    Some((kind, quoted(words)))
}

/// What the dispatcher asks; of a calm matter of the police it is not asked who is hurt.
pub(super) fn question(told: &[Told], calm: bool) -> Text {
    if let Some(Told { word, .. }) = unsettled(told) {
        return Text::new(
            format!("“{word}”现在是否确有其事（看到、闻到、听到），或有人受伤、被困？"),
            format!("Is `{word}` seen, smelt or heard now, or is anybody hurt or trapped?"),
        );
    }
    let offence = offence(told).map(|_| SignKind::Crime);
    match gravest(told).map(|(kind, _)| kind).or(offence) {
        Some(SignKind::Crime) => {
            Text::new("来电人是否要就违法犯罪行为报警？", "Does the caller report an offence?")
        }
        Some(SignKind::Police) => Text::new(
            "是否要求公安机关办理（户籍证件、案件、交通、民警）？",
            "Is something asked of the police themselves (papers, a case, traffic, an officer)?",
        ),
        None if calm => Text::new(
            "是否涉及违法犯罪，或要求公安机关办理？",
            "Is an offence concerned, or something asked of the police themselves?",
        ),
        Some(SignKind::Danger) | None => Text::new(
            "现在是否有人受伤、被困、失踪或受到威胁？",
            "Is anybody hurt, trapped, missing or threatened now?",
        ),
    }
}
