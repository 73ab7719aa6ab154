//! "Did you mean": the known word that is nearest to an unknown one.

/// How many single characters must be changed, added, dropped or swapped with their neighbour to
/// turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (row, c) in a.chars().enumerate() {
        let mut next = Vec::with_capacity(b.len() + 1);
        let mut left = row + 1;
        next.push(left);
        for (column, d) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let changed = at(&last, column).saturating_add(usize::from(c != *d));
            let dropped = at(&last, column + 1).saturating_add(1);
            let mut best = changed.min(dropped).min(left + 1);
            if let Some(column) = column.checked_sub(1)
                && previous == Some(*d)
                && b.get(column) == Some(&c)
            {
                best = best.min(at(&before, column).saturating_add(1));
            }
            next.push(best);
            left = best;
        }
        before = std::mem::replace(&mut last, next);
        previous = Some(c);
    }
    last.last().copied().unwrap_or_default()
}

/// `did you mean …?` with the candidate nearest to `word`, if one is near: at most a third of its
/// characters differ, or its last segment is the same.
pub(in crate::chart) fn did_you_mean<S: AsRef<str>>(
    word: &str,
    candidates: impl IntoIterator<Item = S>,
) -> Option<String> {
    let length = word.chars().count();
    let tail = word.rsplit('.').next();
    let near = |candidate: &str| {
        let steps = distance(word, candidate);
        let same_tail = candidate != word && candidate.rsplit('.').next() == tail;
        (steps <= length.max(3) / 3 || same_tail).then_some(steps)
    };
    candidates
        .into_iter()
        .filter(|candidate| candidate.as_ref().len() < 200)
        .filter_map(|candidate| Some((near(candidate.as_ref())?, candidate)))
        .min_by(|a, b| (a.0, a.1.as_ref()).cmp(&(b.0, b.1.as_ref())))
        .map(|(_, candidate)| format!("did you mean `{}`?", candidate.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed_and_a_far_one_is_not() {
        let names = ["returns", "ruled", "input.unit", "退回次数"];
        assert_eq!(did_you_mean("retruns", names).unwrap(), "did you mean `returns`?");
        assert_eq!(did_you_mean("unit", names).unwrap(), "did you mean `input.unit`?");
        assert_eq!(did_you_mean("退回数", names).unwrap(), "did you mean `退回次数`?");
        assert_eq!(did_you_mean("weather", names), None);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
