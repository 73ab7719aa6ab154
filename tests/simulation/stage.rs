//! What the simulation plays: every workflow of the repository, its calendar, its people.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use fenliu::app::workflow::yaml_files;
use fenliu::calendar::Calendar;
use fenliu::chart::{self, Chart};
use fenliu::config::jurisdiction::Jurisdiction;
use fenliu::domain::{DefinitionId, Directory, JurisdictionId};

/// Whose matters these are.
pub(super) const COUNTY: JurisdictionId = JurisdictionId(1);

/// Everything that does not change while a seed is played.
#[derive(Debug)]
pub(super) struct Stage {
    /// Each workflow is published twice, as versions `n` and `n + 1000`.
    pub(super) charts: BTreeMap<DefinitionId, Arc<Chart>>,
    /// The calendar.
    pub(super) calendar: Calendar,
    /// The people at the beginning.
    pub(super) directory: Directory,
    /// Workflows that alarm every few minutes until they are reported.
    pub(super) alarming: BTreeSet<String>,
    /// Workflows that people open, each as often as it is likely, and whether it has a response tier
    /// to be reported.
    pub(super) roots: Vec<(String, bool)>,
}

/// The number between two versions of one workflow.
pub(super) const NEXT_VERSION: i64 = 1000;

/// The stage, read once.
pub(super) fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &Path| fs::read_to_string(path).expect("a file of the repository");
        let calendar = read(&root.join("config/calendars/chongqing.yaml"));
        let county = read(&root.join("config/jurisdictions/chengkou.yaml"));
        let county = Jurisdiction::from_yaml(&county).expect("a sound jurisdiction");
        let mut charts = BTreeMap::new();
        let mut roots = Vec::new();
        let mut alarming = BTreeSet::new();
        let files = yaml_files(&root.join("workflows")).expect("the workflows");
        for (number, file) in (1_i64..).zip(files) {
            let (chart, findings) = chart::compile(&read(&file));
            let chart = Arc::new(chart.unwrap_or_else(|| panic!("{file:?}: {findings:?}")));
            let reported = chart.clocks.contains_key("phone");
            if reported {
                alarming.insert(chart.workflow.clone());
            }
            if !chart.start.by.is_empty() {
                // Workflows with families are where most can go wrong.
                let weight = 1 + 3 * chart.children.len();
                roots.extend(std::iter::repeat_n((chart.workflow.clone(), reported), weight));
            }
            charts.insert(DefinitionId(number), Arc::clone(&chart));
            charts.insert(DefinitionId(number + NEXT_VERSION), chart);
        }
        Stage {
            charts,
            calendar: Calendar::from_yaml(&calendar).expect("a sound calendar"),
            directory: county.directory(COUNTY),
            alarming,
            roots,
        }
    })
}
