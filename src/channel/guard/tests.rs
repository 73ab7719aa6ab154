use super::*;

const T: Instant = Instant(1_530_493_800_000);

fn guard(per_second: u32, failures: u32) -> Guard {
    Guard::new(Options { per_second, failures, pause_ms: 1_000, pause_max_ms: 3_000 })
}

fn failed() -> Outcome {
    Outcome::later("down")
}

#[test]
fn the_breaker_opens_after_failures_in_a_row_and_lets_one_try() {
    let mut guard = guard(0, 3);
    for _ in 0..2 {
        assert_eq!(guard.may_send(T), May::Ready);
        guard.note(&failed(), T);
    }
    assert_eq!(guard.state(), State::Closed);
    guard.note(&Outcome::unknown("no answer"), T);
    assert_eq!(guard.state(), State::Open);
    assert_eq!(guard.may_send(T.plus(999)), May::NotBefore(T.plus(1_000)));

    assert_eq!(guard.may_send(T.plus(1_000)), May::Ready);
    assert_eq!(guard.state(), State::Trying);
    assert!(matches!(guard.may_send(T.plus(1_000)), May::NotBefore(_)), "one at a time");
    guard.note(&failed(), T.plus(1_100));
    assert_eq!(guard.may_send(T.plus(2_000)), May::NotBefore(T.plus(3_100)), "twice as long");

    assert_eq!(guard.may_send(T.plus(3_100)), May::Ready);
    guard.note(&Outcome::ACCEPTED, T.plus(3_200));
    assert_eq!(guard.state(), State::Closed);
    assert_eq!(guard.may_send(T.plus(3_200)), May::Ready);
}

#[test]
fn a_pause_does_not_grow_beyond_its_limit() {
    let mut guard = guard(0, 1);
    guard.note(&failed(), T);
    let mut now = T;
    for _ in 0..5 {
        now = now.plus(3_000);
        assert_eq!(guard.may_send(now), May::Ready);
        guard.note(&failed(), now);
    }
    assert_eq!(guard.may_send(now), May::NotBefore(now.plus(3_000)));
}

#[test]
fn refusals_of_recipients_are_no_fault_of_the_service() {
    let mut guard = guard(0, 2);
    for _ in 0..10 {
        guard.note(&failed(), T);
        guard.note(&Outcome::never("no such mailbox"), T);
    }
    assert_eq!(guard.state(), State::Closed);
}

#[test]
fn letters_that_were_under_way_when_it_opened_do_not_keep_it_open_longer() {
    let mut guard = guard(0, 2);
    for millis in [0, 1, 2, 300, 900] {
        guard.note(&failed(), T.plus(millis));
    }
    assert_eq!(guard.may_send(T.plus(1_001)), May::Ready);
}

#[test]
fn a_try_whose_outcome_nobody_notes_does_not_close_the_channel_for_ever() {
    let mut guard = guard(0, 1);
    guard.note(&failed(), T);
    assert_eq!(guard.may_send(T.plus(1_000)), May::Ready);
    assert!(matches!(guard.may_send(T.plus(60_000)), May::NotBefore(_)));
    assert_eq!(guard.may_send(T.plus(1_000 + TRY_FORGOTTEN_MS)), May::Ready);
}

#[test]
fn a_clock_that_is_set_back_does_not_hold_letters_up() {
    let mut guard = guard(10, 1);
    assert_eq!(guard.may_send(T), May::Ready);
    guard.note(&failed(), T);
    let back = T.plus(-86_400_000);
    assert_eq!(guard.may_send(back), May::NotBefore(back.plus(1_000)));
    assert_eq!(guard.may_send(back.plus(1_000)), May::NotBefore(back.plus(2_001)), "the rate");
    assert_eq!(guard.may_send(back.plus(2_001)), May::Ready);
}

#[test]
fn no_more_letters_go_in_a_second_than_allowed_after_the_first_burst() {
    for per_second in [1, 3, 7, 300] {
        let mut guard = guard(per_second, 0);
        let mut now = T;
        let mut sent: Vec<Instant> = Vec::new();
        while now < T.plus(5_000) {
            match guard.may_send(now) {
                May::Ready => sent.push(now),
                May::NotBefore(then) => {
                    assert!(then > now);
                    now = then;
                }
            }
        }
        let most = usize::try_from(per_second).unwrap();
        let first = sent.iter().filter(|at| **at < T.plus(1)).count();
        assert_eq!(first, most, "the burst");
        // A burst of one second's letters, then steadily.
        assert!(sent.len() <= most * 6 && sent.len() >= most * 5, "{per_second}: {}", sent.len());
    }
}
