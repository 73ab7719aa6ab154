//! A small text model: multinomial logistic regression over named features, trained in a fixed order
//! with arithmetic that is the same on every machine, so that the same examples give the same model.

use std::collections::BTreeMap;
use std::ops::Range;

use super::digest;

/// Features of a text by name: how much of each.
pub type Features = Vec<(String, f32)>;

/// What a model keeps of a feature's name. Of some hundred thousand a dozen share a key with another, and
/// are then one feature: that costs less than twice the room for all.
type Key = u32;

/// Texts to learn from, one after another in a few long lists: what is learned from is forgotten afterwards,
/// and thousands of small pieces would leave holes in the memory.
#[derive(Debug, Default)]
pub struct Lessons {
    features: Vec<(Key, f32)>,
    targets: Vec<(usize, f32)>,
    lessons: Vec<Lesson>,
}

/// Where a text's features and the shares of its classes stand, and how much it counts.
#[derive(Debug)]
struct Lesson {
    features: Range<usize>,
    target: Range<usize>,
    weight: f32,
}

impl Lessons {
    /// One more text. `target`: class → share; the shares add up to one.
    pub fn add<'f>(
        &mut self,
        features: impl IntoIterator<Item = &'f (String, f32)>,
        target: &[(usize, f32)],
        weight: f32,
    ) {
        let (from, of) = (self.features.len(), self.targets.len());
        let features = features.into_iter();
        self.features.extend(features.map(|(name, value)| (digest::short(name), *value)));
        self.targets.extend_from_slice(target);
        let (features, target) = (from..self.features.len(), of..self.targets.len());
        self.lessons.push(Lesson { features, target, weight });
    }

    /// The keys of all features of at least so many lessons, in order.
    fn keys(&self, seen_least: u32) -> Vec<Key> {
        let mut all: Vec<Key> = self.features.iter().map(|(key, _)| *key).collect();
        all.sort_unstable();
        let least = usize::try_from(seen_least).unwrap_or(usize::MAX);
        let often = all.chunk_by(Key::eq).filter(|same| same.len() >= least);
        often.filter_map(|same| same.first().copied()).collect()
    }

    /// Puts the rows of a model in the place of keys; [`UNKNOWN`] where it has none.
    fn name_rows(&mut self, keys: &[Key]) {
        for (key, _) in &mut self.features {
            let row = keys.binary_search(key).ok().and_then(|row| u32::try_from(row).ok());
            *key = row.unwrap_or(UNKNOWN);
        }
    }
}

/// The row of a feature that is not learnt.
const UNKNOWN: u32 = u32::MAX;

/// How a model is trained.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// How often all lessons are gone through.
    pub rounds: u32,
    /// The first step's size.
    pub step: f32,
    /// How strongly weights are drawn back to where they began.
    pub decay: f32,
    /// In how many of a hundred lessons a feature is covered, so that the others must do without it.
    pub covered: u64,
    /// A feature of fewer lessons than this is not learnt: the model stays small.
    pub seen_least: u32,
}

/// Weights that are believed before anything was seen: feature → class → weight.
pub type Beliefs = BTreeMap<String, Vec<(usize, f32)>>;

/// A trained model. A feature's weights are kept in 8 bits each, in steps of its own size: all
/// counties' words take a few dozen MB.
#[derive(Debug, Clone)]
pub struct Model {
    classes: usize,
    keys: Vec<Key>,
    /// How much one step of a feature's weights is.
    steps: Vec<f32>,
    weights: Vec<i8>,
}

impl Model {
    /// Trains a model. The lessons are used up.
    #[must_use]
    pub fn train(classes: usize, mut lessons: Lessons, believed: &Beliefs, course: Course) -> Self {
        let mut keys = lessons.keys(course.seen_least);
        keys.extend(believed.keys().map(|name| digest::short(name)));
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        lessons.name_rows(&keys);
        let mut board = Board::new(classes, keys.len());
        for (name, weights) in believed {
            if let Ok(row) = keys.binary_search(&digest::short(name)) {
                board.believe(row, weights);
            }
        }
        let mut order: Vec<usize> = (0..lessons.lessons.len()).collect();
        let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
        let mut open: Vec<(u32, f32)> = Vec::new();
        for _ in 0..course.rounds {
            mix(&mut order, &mut dice);
            for lesson in order.iter().filter_map(|at| lessons.lessons.get(*at)) {
                let features = lessons.features.get(lesson.features.clone()).unwrap_or_default();
                let target = lessons.targets.get(lesson.target.clone()).unwrap_or_default();
                let known = features.iter().filter(|(row, _)| *row != UNKNOWN);
                open.clear();
                open.extend(known.filter(|_| roll(&mut dice) % 100 >= course.covered));
                board.learn((target, lesson.weight), &open, course);
            }
        }
        let mut steps = Vec::with_capacity(keys.len());
        let mut weights = Vec::with_capacity(board.weights.len());
        for row in board.weights.chunks_exact(classes.max(1)) {
            let most = row.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
            let step = most.max(1e-6) / f32::from(i8::MAX);
            steps.push(step);
            weights.extend(row.iter().map(|weight| coarse(weight / step)));
        }
        Self { classes, keys, steps, weights }
    }

    /// Whether some lesson had a feature.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.keys.binary_search(&digest::short(name)).is_ok()
    }

    /// The weights of a feature, one for each class; none of a feature it does not know.
    fn row(&self, name: &str) -> impl Iterator<Item = f32> {
        let at = self.keys.binary_search(&digest::short(name)).ok();
        let row = at.and_then(|at| {
            let weights = self.weights.chunks_exact(self.classes.max(1)).nth(at)?;
            Some((weights, *self.steps.get(at)?))
        });
        row.into_iter()
            .flat_map(|(weights, step)| weights.iter().map(move |weight| f32::from(*weight) * step))
    }

    /// The score of every class before it is made a probability.
    #[must_use]
    pub fn scores<'f>(&self, features: impl IntoIterator<Item = &'f (String, f32)>) -> Vec<f32> {
        let mut scores = vec![0.0; self.classes];
        for (name, value) in features {
            for (score, weight) in scores.iter_mut().zip(self.row(name)) {
                *score += weight * value;
            }
        }
        scores
    }

    /// What so much of a feature gives to a class, rather than to the mean one.
    #[must_use]
    pub fn share(&self, name: &str, value: f32, class: usize) -> f32 {
        let (mut own, mut sum, mut classes) = (0.0, 0.0, 0.0_f32);
        for (at, weight) in self.row(name).enumerate() {
            sum += weight;
            classes += 1.0;
            if at == class {
                own = weight;
            }
        }
        (own - sum / classes.max(1.0)) * value
    }

    /// How many features it knows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.keys.len()
    }
}

/// What is written on while a model learns.
struct Board {
    classes: usize,
    weights: Vec<f32>,
    squares: Vec<f32>,
    begun: BTreeMap<u32, Vec<f32>>,
}

impl Board {
    fn new(classes: usize, rows: usize) -> Self {
        let zero = vec![0.0; classes * rows];
        Self { classes, weights: zero.clone(), squares: zero, begun: BTreeMap::new() }
    }

    fn believe(&mut self, row: usize, weights: &[(usize, f32)]) {
        let mut begun = vec![0.0; self.classes];
        for (class, weight) in weights {
            if let Some(begin) = begun.get_mut(*class) {
                *begin += weight;
            }
        }
        let Ok(number) = u32::try_from(row) else { return };
        let own = self.weights.chunks_exact_mut(self.classes.max(1)).nth(row);
        own.into_iter().for_each(|own| own.clone_from_slice(&begun));
        self.begun.insert(number, begun);
    }

    /// One step: each weight a little towards what the lesson says, less each time it has moved
    /// (Adagrad).
    fn learn(
        &mut self,
        (target, weight): (&[(usize, f32)], f32),
        open: &[(u32, f32)],
        course: Course,
    ) {
        let classes = self.classes;
        let span = |row: u32| {
            let begin = usize::try_from(row).unwrap_or_default() * classes;
            begin..begin + classes
        };
        let mut scores = vec![0.0_f32; self.classes];
        for (at, value) in open {
            let row = self.weights.get(span(*at)).unwrap_or_default();
            for (score, weight) in scores.iter_mut().zip(row) {
                *score += weight * value;
            }
        }
        let mut slopes = shares_of(&scores, 1.0);
        for (class, share) in target {
            if let Some(slope) = slopes.get_mut(*class) {
                *slope -= share;
            }
        }
        // Classes about which nothing is left to learn from this are left alone.
        let steep: Vec<(usize, f32)> = slopes
            .iter()
            .enumerate()
            .filter(|(_, slope)| slope.abs() > 0.002)
            .map(|(class, slope)| (class, slope * weight))
            .collect();
        for (at, value) in open {
            let (Some(row), Some(squares)) =
                (self.weights.get_mut(span(*at)), self.squares.get_mut(span(*at)))
            else {
                continue;
            };
            let begun = self.begun.get(at);
            for (class, slope) in &steep {
                let (Some(weight), Some(square)) = (row.get_mut(*class), squares.get_mut(*class))
                else {
                    continue;
                };
                let begun = begun.and_then(|begun| begun.get(*class)).copied().unwrap_or(0.0);
                let slope = slope * value + course.decay * (*weight - begun);
                *square += slope * slope;
                *weight -= course.step * slope / (square.sqrt() + 1e-6);
            }
        }
    }
}

/// Scores as probabilities, sharpened or flattened.
#[must_use]
pub fn shares_of(scores: &[f32], sharpness: f32) -> Vec<f32> {
    let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut shares: Vec<f32> = scores.iter().map(|score| exp((score - most) * sharpness)).collect();
    let sum: f32 = shares.iter().sum();
    for share in &mut shares {
        *share /= sum;
    }
    shares
}

/// e to the power of x by multiplication and addition alone, which every machine does alike; a
/// library's own may differ in the last bit from one machine to the next.
#[must_use]
pub fn exp(x: f32) -> f32 {
    let mut x = f64::from(x.clamp(-60.0, 60.0));
    let mut halvings = 0;
    while x.abs() > 0.25 {
        x /= 2.0;
        halvings += 1;
    }
    let mut sum = 1.0 + x * (1.0 + x / 2.0 * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0))));
    for _ in 0..halvings {
        sum *= sum;
    }
    narrow(sum)
}

/// A 64-bit number in 32 bits. There is no lossless way, and none is needed.
#[expect(
    clippy::as_conversions,
    reason = "the standard library offers no other way to round to f32"
)]
fn narrow(number: f64) -> f32 {
    number as f32
}

/// A weight in steps of its feature.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the standard library offers no other way; what does not fit is the nearest that does"
)]
fn coarse(steps: f32) -> i8 {
    steps.round() as i8
}

/// The same shuffle every time (Fisher and Yates, with a small generator of fixed seed).
fn mix(order: &mut [usize], dice: &mut u64) {
    for at in (1..order.len()).rev() {
        let bound = u64::try_from(at + 1).unwrap_or(1);
        order.swap(at, usize::try_from(roll(dice) % bound).unwrap_or(0));
    }
}

/// The next number of a small generator (xorshift); its seed is fixed, so every training is the same.
fn roll(dice: &mut u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    *dice >> 11
}
