//! What goes in and out over HTTP is described by shapes, and each has a name of its own: of two with
//! one name the description would show one.

use std::collections::BTreeMap;

use super::source::sources;

#[test]
fn no_two_shapes_of_the_api_have_one_name() {
    let mut shapes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources("src").into_iter().filter(|source| source.room() == "http") {
        let mut described = false;
        for (line, code) in source.code() {
            let code = code.trim_start();
            if code.starts_with("#[derive(") {
                described = code.contains("ToSchema");
            }
            let named = ["struct ", "enum "].iter().find_map(|word| code.split_once(word));
            if let Some((_, name)) = named.filter(|_| described) {
                let name = name.chars().take_while(|c| c.is_alphanumeric()).collect();
                shapes.entry(name).or_default().push(format!("{}:{line}", source.path));
                described = false;
            }
        }
    }
    assert!(shapes.len() > 100, "the shapes are not found any more");
    let doubled: Vec<_> = shapes.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(doubled.is_empty(), "{doubled:#?}");
}
