//! Repeats of each kind, ranked.

use super::*;
use crate::domain::Unit;
use crate::domain::directory::TOWNSHIP;

#[test]
fn the_likest_of_each_kind_is_shown_however_many_there_are_of_another() {
    let hit =
        |phone, place, likeness| Hit { phone, again: false, place, likeness, category: false };
    let mut found: Vec<(Hit, &str)> =
        (0..40).map(|_| (hit(false, Nearness::Same, 1000), "outage")).collect();
    found.push((hit(true, Nearness::Elsewhere, 0), "own"));
    found.push((hit(true, Nearness::Elsewhere, 100), "own, likelier"));
    found.push((hit(false, Nearness::Near, 300), "near"));
    let names = |most| shown(found.clone(), most).iter().map(|(_, name)| *name).collect::<Vec<_>>();
    assert_eq!(names(5), ["outage", "outage", "outage", "own, likelier", "near"]);
    assert_eq!(names(2), ["outage", "own, likelier"]);
    assert_eq!(names(60).len(), 43);
}

#[test]
fn places_are_the_same_near_or_elsewhere() {
    let mut directory = Directory::default();
    for (code, name) in [("gecheng", "葛城街道"), ("gaoyan", "高燕镇")] {
        let (code, name, kind) = (code.to_owned(), Text::new(name, code), TOWNSHIP.to_owned());
        let unit =
            Unit { code: code.clone(), name, kind, parent: None, active: true, successor: None };
        directory.units.insert(code, unit);
    }
    let near = |one: &str, other: &str| nearness(&directory, one, other);
    assert_eq!(near("葛城街道土城路1号", "土城路1号（葛城街道）"), Nearness::Same);
    assert_eq!(near("葛城街道土城路", "葛城街道土城路12号2单元"), Nearness::Same);
    assert_eq!(near("葛城街道土城路", "葛城街道滨河路"), Nearness::Near);
    assert_eq!(near("葛城街道", "葛城街道滨河路"), Nearness::Near);
    assert_eq!(near("", "葛城街道滨河路"), Nearness::Near);
    assert_eq!(near("葛城街道土城路", "高燕镇土城路"), Nearness::Elsewhere);
    // As the catalogue reads places: by the short name, too.
    assert_eq!(near("高燕街上", "高燕镇卫生院"), Nearness::Near);
    assert_eq!(near("高燕卫生院", "高燕镇卫生院门口"), Nearness::Same);
    assert_eq!(near("葛城土城路", "高燕镇土城路"), Nearness::Elsewhere);
    assert_eq!(near("人民广场", "汽车站"), Nearness::Elsewhere);
}
