//! Periodic jobs: each occurrence once, whoever does it.

use fenliu::config::job::{Does, Job};
use fenliu::domain::{HandoverNote, InstanceId, Kind, PersonId};
use fenliu::gate::Target;
use fenliu::scheduler::Next;
use fenliu::scheduler::figures::Warning;
use fenliu::scheduler::jobs::{Jobs, Plan};
use fenliu::store::Reader;
use serde_json::{Value as Json, json};

use super::house::{House, LEADER, LIAISON, WORKFLOW, at, run, turn};

fn jobs(house: &House, cron: &str, does: Does) -> Jobs {
    let job = Job { name: "job".to_owned(), cron: cron.to_owned(), does, to: Vec::new(), days: 7 };
    Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap())
}

#[test]
fn an_occurrence_is_done_once_by_two_schedulers() {
    run(async {
        let house = House::new();
        let nine = "0 0 9 * * *";
        let mut one = jobs(&house, nine, Does::ForgetAnswers);
        let mut other = jobs(&house, nine, Does::ForgetAnswers);
        let tomorrow = Next::At(at("2026-03-03T09:00:00+08:00"));
        assert_eq!(turn(&mut one).await, tomorrow);
        assert_eq!(turn(&mut other).await, tomorrow);
        house.set("2026-03-03T09:00:00+08:00");
        let next = futures_util::future::join(turn(&mut one), turn(&mut other)).await;
        let after = Next::At(at("2026-03-04T09:00:00+08:00"));
        assert_eq!(next, (after, after));
        assert_eq!(house.duty.figures.jobs_done.get(), 1);
        turn(&mut one).await;
        assert_eq!(house.duty.figures.jobs_done.get(), 1);
    });
}

#[test]
fn after_downtime_a_job_is_done_once_however_often_it_was_missed() {
    run(async {
        let mut house = House::new();
        turn(&mut jobs(&house, "0 */5 * * * *", Does::ForgetAnswers)).await;
        house.restarted();
        house.set("2026-03-12T09:02:00+08:00");
        let mut again = jobs(&house, "0 */5 * * * *", Does::ForgetAnswers);
        let next = Next::At(at("2026-03-12T09:05:00+08:00"));
        assert_eq!(turn(&mut again).await, next);
        assert_eq!(turn(&mut again).await, next);
        assert_eq!(house.duty.figures.jobs_done.get(), 1);
    });
}

#[test]
fn a_yearly_job_is_not_forgotten_by_restarts() {
    run(async {
        let mut house = House::new();
        let yearly = "0 0 9 1 11 *";
        turn(&mut jobs(&house, yearly, Does::ForgetAnswers)).await;
        house.restarted();
        // The service was down on the day itself.
        house.set("2026-11-03T10:00:00+08:00");
        turn(&mut jobs(&house, yearly, Does::ForgetAnswers)).await;
        assert_eq!(house.duty.figures.jobs_done.get(), 1);
    });
}

#[test]
fn from_november_on_the_missing_notice_for_next_year_is_an_alarm() {
    run(async {
        let house = House::new();
        let mut daily = jobs(&house, "0 0 9 * * *", Does::CalendarAlarm);
        house.set("2026-10-30T08:00:00+08:00");
        turn(&mut daily).await;
        house.set("2026-10-31T09:00:00+08:00");
        turn(&mut daily).await;
        assert!(house.alarms().is_empty(), "{:?}", house.alarms());
        house.set("2026-11-01T09:00:00+08:00");
        turn(&mut daily).await;
        let (kind, _, detail) = house.alarms().remove(0);
        assert_eq!(kind, "calendar_missing");
        assert!(detail.contains("2027"), "{detail}");
        house.set("2026-11-02T09:00:00+08:00");
        turn(&mut daily).await;
        assert_eq!(house.alarms().len(), 1);
    });
}

#[test]
fn a_house_that_is_founded_without_the_next_years_notice_says_so_at_once() {
    run(async {
        let house = House::new();
        house.set("2026-11-26T21:00:00+08:00");
        turn(&mut jobs(&house, "0 0 9 * * *", Does::CalendarAlarm)).await;
        let (kind, _, detail) = house.alarms().remove(0);
        assert_eq!((kind.as_str(), detail.contains("2027")), ("calendar_missing", true));
    });
}

#[test]
fn the_digest_of_today_takes_the_place_of_yesterdays() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        let id = house.register("ordinary").await;
        let mut daily = jobs(&house, "0 30 8 * * *", Does::DailyDigest);
        turn(&mut daily).await;
        house.set("2026-03-03T08:30:00+08:00");
        turn(&mut daily).await;
        assert!(
            house.alarms()[0].2.contains("open 2, due soon 0, overdue 2"),
            "{:?}",
            house.alarms()
        );
        house.finish(id).await;
        house.set("2026-03-04T08:29:00+08:00");
        house.register("ordinary").await;
        house.set("2026-03-04T08:30:00+08:00");
        turn(&mut daily).await;
        let alarms = house.alarms();
        assert_eq!(alarms.len(), 1);
        assert_eq!(
            alarms[0].2,
            "公安局：未办结 2，将到期 1，逾期 1 (open 2, due soon 1, overdue 1)"
        );
    });
}

#[test]
fn the_digest_is_sent_to_the_people_whom_the_job_names_each_day_once() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        house.register("ordinary").await;
        let job = Job {
            name: "digest".to_owned(),
            cron: "0 30 8 * * *".to_owned(),
            does: Does::DailyDigest,
            to: ["desk.leader", "desk.liaison", "desk.director"].map(str::to_owned).to_vec(),
            days: 7,
        };
        let plan = Plan::new(&[job]).unwrap();
        let (mut one, mut other) =
            (Jobs::new(house.duty.clone(), plan.clone()), Jobs::new(house.duty.clone(), plan));
        turn(&mut one).await;
        house.set("2026-03-03T08:30:00+08:00");
        futures_util::future::join(turn(&mut one), turn(&mut other)).await;
        let digests: Vec<_> =
            house.messages().into_iter().filter(|one| one.kind == Kind::Digest).collect();
        let to: Vec<_> = digests.iter().filter_map(|one| one.to.person()).collect();
        assert_eq!(to, [LIAISON, LEADER]);
        assert_eq!(digests[0].channel, "email");
        assert_eq!(digests[0].subject, "【南县】每日汇总 2026-03-03 08:30");
        assert_eq!(
            digests[0].body,
            "南县每日汇总：未办结2件，其中逾期2件。\n· 公安局：未办结2件，下一工作日下班前到期0件，逾期2件"
        );
        // Nobody is director here: an operator hears of it.
        let alarms = house.alarms();
        let nobody = alarms.iter().find(|(kind, ..)| kind == "nobody_told").unwrap();
        assert!(nobody.2.contains("the job `digest` tells `desk.director`"), "{}", nobody.2);
    });
}

#[test]
fn the_digest_says_first_how_many_operator_alarms_stand() {
    run(async {
        let house = House::new();
        let job = Job {
            name: "digest".to_owned(),
            cron: "0 30 8 * * *".to_owned(),
            does: Does::DailyDigest,
            to: ["desk.liaison", "desk.director"].map(str::to_owned).to_vec(),
            days: 7,
        };
        let mut jobs = Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap());
        turn(&mut jobs).await;
        // The first day says that nobody is director: that alarm stands until somebody clears it.
        for (day, said) in [("03", false), ("04", true)] {
            house.set(&format!("2026-03-{day}T08:30:00+08:00"));
            turn(&mut jobs).await;
            let digest =
                house.messages().into_iter().rfind(|one| one.kind == Kind::Digest).unwrap();
            assert_eq!(digest.body.contains("· 待处理的系统告警：1条"), said, "{}", digest.body);
        }
    });
}

#[test]
fn where_a_roster_says_who_is_on_duty_only_they_get_the_digest() {
    run(async {
        let house = super::handovers::house();
        let job = Job {
            name: "digest".to_owned(),
            cron: "0 0 12 * * *".to_owned(),
            does: Does::DailyDigest,
            to: vec!["desk.liaison".to_owned()],
            days: 7,
        };
        let mut daily = Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap());
        turn(&mut daily).await;
        for day in ["03", "04"] {
            house.set(&format!("2026-03-{day}T12:00:00+08:00"));
            turn(&mut daily).await;
        }
        let digests = house.messages().into_iter().filter(|one| one.kind == Kind::Digest);
        let to: Vec<_> = digests.filter_map(|one| one.to.person()).collect();
        assert_eq!(to, [LEADER, LIAISON], "both are liaisons, a day's duty each");
    });
}

#[test]
fn the_sweep_counts_what_is_due_within_the_next_working_day() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        let mut sweep = jobs(&house, "0 */10 * * * *", Does::EarlyWarningSweep);
        turn(&mut sweep).await;
        house.set("2026-03-02T10:10:00+08:00");
        turn(&mut sweep).await;
        let key = (house.jurisdiction, "gongan".to_owned());
        assert_eq!(house.duty.figures.warnings()[&key], Warning { soon: 1, overdue: 0 });
        house.set("2026-03-02T11:10:00+08:00");
        turn(&mut sweep).await;
        assert_eq!(house.duty.figures.warnings()[&key], Warning { soon: 0, overdue: 1 });
    });
}

#[test]
fn the_figures_of_a_quarter_are_kept_and_never_changed() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        let id = house.register("ordinary").await;
        house.finish(id).await;
        let close = "0 5 0 1 1,4,7,10 *";
        let mut quarter = jobs(&house, close, Does::QuarterClose);
        turn(&mut quarter).await;
        house.set("2026-04-01T00:05:00+08:00");
        turn(&mut quarter).await;
        let name = format!("quarter.{}.2026Q1", house.jurisdiction);
        let kept = house.store.read(|reader| reader.setting(&name)).unwrap().unwrap();
        let figures: Json = serde_json::from_str(&kept).unwrap();
        assert_eq!(figures["opened_by_status"]["handling"], 1);
        assert_eq!(figures["opened_by_status"]["done"], 1);
        house.register("ordinary").await;
        // Asked a second time, by a job of another name: what was frozen stays.
        let job = Job {
            name: "by_hand".to_owned(),
            cron: "0 * * * * *".to_owned(),
            does: Does::QuarterClose,
            to: Vec::new(),
            days: 7,
        };
        let mut by_hand = Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap());
        turn(&mut by_hand).await;
        house.set("2026-04-01T00:07:00+08:00");
        turn(&mut by_hand).await;
        assert_eq!(house.duty.figures.jobs_done.get(), 2);
        assert_eq!(house.store.read(|reader| reader.setting(&name)).unwrap().unwrap(), kept);
    });
}

/// A house whose workflow keeps who called, and the job that erases callers after a term.
fn with_callers() -> (House, Jobs) {
    let caller = "    caller: { type: text, personal: true, max: 60, title: { zh: 姓名, en: name } }\n  set:";
    let house = House::of(&[WORKFLOW.replacen("  set:", caller, 1)]);
    let cron = "0 0 4 * * *".to_owned();
    let (name, does) = ("callers".to_owned(), Does::EraseCallers);
    let job = Job { name, cron, does, to: Vec::new(), days: 30 };
    let jobs = Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap());
    (house, jobs)
}

// Check 44.
#[test]
fn callers_are_erased_by_the_job_and_one_that_cannot_be_holds_up_no_other() {
    run(async {
        let (house, mut daily) = with_callers();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let input = json!({ "tier": "ordinary", "place": "河边", "caller": "王小明" });
            let opened = house.ask(Target::New("matter".to_owned()), "register", input).await;
            ids.push(opened.receipt.instance);
        }
        for id in ids.iter().take(2) {
            house.finish(*id).await;
        }
        let known = || {
            let known = |id: &InstanceId| {
                !house.store.read(|reader| reader.personal(*id)).unwrap().is_empty()
            };
            ids.iter().map(known).collect::<Vec<bool>>()
        };
        turn(&mut daily).await;
        house.set("2026-03-20T04:00:00+08:00");
        turn(&mut daily).await;
        assert_eq!(known(), [true, true, true], "the term is not over");
        // The first of two that are due cannot be read.
        let first = ids[0];
        house.damage(&format!("UPDATE instance SET data = 'x' || data WHERE id = {first}"));
        house.set("2026-04-20T04:00:00+08:00");
        turn(&mut daily).await;
        assert_eq!(known(), [true, false, true], "the second is erased, the open one is not");
        let (kind, _, detail) = house.alarms().remove(0);
        assert_eq!(kind, "callers_not_erased");
        assert!(detail.contains("1件事项"), "{detail}");
        house.damage(&format!("UPDATE instance SET data = substr(data, 2) WHERE id = {first}"));
        house.set("2026-04-21T04:00:00+08:00");
        turn(&mut daily).await;
        assert_eq!(known(), [false, false, true], "it is tried again the next day");
        assert!(house.alarms().is_empty(), "{:?}", house.alarms());
    });
}

#[test]
fn what_shifts_left_to_the_next_is_deleted_after_its_term() {
    run(async {
        let house = House::new();
        let write = |note: &str| {
            let new = HandoverNote {
                id: 0,
                roster: "desk".to_owned(),
                at: house.gate.now(),
                person: PersonId(1),
                note: note.to_owned(),
                read: None,
            };
            let mut writer = house.store.writer().unwrap();
            writer.transaction(|t| t.add_handover(house.jurisdiction, &new)).unwrap();
        };
        let kept = || {
            let read = |reader: &mut Reader| {
                reader.handovers(house.jurisdiction, "desk", (None, None), 10)
            };
            let notes = house.store.read(read).unwrap();
            notes.into_iter().map(|note| note.note).collect::<Vec<_>>()
        };
        let mut weekly = jobs(&house, "0 30 4 * * *", Does::ForgetHandovers);
        turn(&mut weekly).await;
        write("先前的");
        house.set("2026-03-08T05:00:00+08:00");
        write("后来的");
        turn(&mut weekly).await;
        assert_eq!(kept(), ["后来的", "先前的"], "kept for seven days");
        house.set("2026-03-10T05:00:00+08:00");
        turn(&mut weekly).await;
        assert_eq!(kept(), ["后来的"]);
    });
}
