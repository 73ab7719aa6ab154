//! Nothing about one county stands in the code: units, categories and names are data.

use fenliu::config::jurisdiction::Jurisdiction;

use super::source::sources;

#[test]
fn no_unit_category_or_name_of_the_shipped_county_stands_in_the_code() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config/jurisdictions/chengkou.yaml");
    let county = Jurisdiction::from_yaml(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut facts = vec![county.code.clone(), county.calendar.clone(), county.name.zh.clone()];
    // A number that the whole country dials is no fact of a county.
    let dialled = |code: &str| code.bytes().all(|byte| byte.is_ascii_digit());
    for unit in county.units.iter().filter(|unit| !dialled(&unit.code)) {
        facts.extend([format!("\"{}\"", unit.code), unit.name.zh.clone()]);
        facts.push(format!("\\\"{}\\\"", unit.code));
    }
    for category in &county.categories {
        facts.extend([format!("\"{}\"", category.code), format!("`{}`", category.code)]);
    }
    assert!(facts.len() > 200, "the county was read");
    let mut wrong = Vec::new();
    for source in sources("src").iter().filter(|source| !source.path.contains("/tests")) {
        let tests = source.text.find("#[cfg(test)]").unwrap_or(source.text.len());
        let last = source.text.split_at(tests).0.lines().count();
        for (number, line) in source.code().filter(|(number, _)| *number <= last) {
            for fact in facts.iter().filter(|fact| line.contains(fact.as_str())) {
                wrong.push(format!("{}:{number} knows {fact}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
