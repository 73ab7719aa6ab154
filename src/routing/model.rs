//! A small text model: multinomial logistic regression over named features, trained in a fixed order
//! with arithmetic that is the same on every machine, so that the same examples give the same model.

use std::collections::BTreeMap;

/// Features of a text: how much of each.
pub type Features = Vec<(String, f32)>;

/// A text to learn from: its features, the share of each class, and how much it counts.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The features.
    pub features: Features,
    /// Class → share; the shares add up to one.
    pub target: Vec<(usize, f32)>,
    /// How much it counts.
    pub weight: f32,
}

/// How a model is trained.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// How often all lessons are gone through.
    pub rounds: u32,
    /// The first step's size.
    pub step: f32,
    /// How strongly weights are drawn back to where they began.
    pub decay: f32,
}

#[derive(Debug, Clone)]
struct Row {
    weights: Vec<f32>,
    begun: Vec<f32>,
    squares: Vec<f32>,
}

/// A trained model.
#[derive(Debug, Clone)]
pub struct Model {
    classes: usize,
    names: BTreeMap<String, usize>,
    weights: Vec<Vec<f32>>,
}

impl Model {
    /// Trains a model. `begun` gives weights that are believed before anything was seen.
    #[must_use]
    pub fn train(
        classes: usize,
        lessons: &[Lesson],
        begun: &BTreeMap<String, Vec<(usize, f32)>>,
        course: Course,
    ) -> Self {
        let mut names = BTreeMap::new();
        let mut rows: Vec<Row> = Vec::new();
        let texts: Vec<Vec<(usize, f32)>> = lessons
            .iter()
            .map(|lesson| {
                let mut known = Vec::with_capacity(lesson.features.len());
                for (name, value) in &lesson.features {
                    known.push((row_of(&mut names, &mut rows, classes, name), *value));
                }
                known
            })
            .collect();
        for (name, believed) in begun {
            let at = row_of(&mut names, &mut rows, classes, name);
            let Some(row) = rows.get_mut(at) else { continue };
            for (class, weight) in believed {
                if let Some(begin) = row.begun.get_mut(*class) {
                    *begin += weight;
                }
            }
            row.weights.clone_from(&row.begun);
        }
        let mut order: Vec<usize> = (0..lessons.len()).collect();
        let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..course.rounds {
            mix(&mut order, &mut dice);
            for at in &order {
                let (Some(lesson), Some(text)) = (lessons.get(*at), texts.get(*at)) else {
                    continue;
                };
                learn(&mut rows, classes, lesson, text, course);
            }
        }
        Self { classes, names, weights: rows.into_iter().map(|row| row.weights).collect() }
    }

    /// The score of every class before it is made a probability.
    #[must_use]
    pub fn scores(&self, features: &Features) -> Vec<f32> {
        let mut scores = vec![0.0; self.classes];
        for (name, value) in features {
            let row = self.names.get(name).and_then(|at| self.weights.get(*at));
            for (score, weight) in scores.iter_mut().zip(row.into_iter().flatten()) {
                *score += weight * value;
            }
        }
        scores
    }

    /// What each feature gave to a class, most first.
    #[must_use]
    pub fn shares(&self, features: &Features, class: usize) -> Vec<(String, f32)> {
        let mut shares: Vec<(String, f32)> = features
            .iter()
            .filter_map(|(name, value)| {
                let row = self.weights.get(*self.names.get(name)?)?;
                // What counts is how much it speaks for this class rather than for the mean one.
                let sum: f32 = row.iter().sum();
                let classes = f32::from(u16::try_from(row.len()).ok()?.max(1));
                Some((name.clone(), (row.get(class)? - sum / classes) * value))
            })
            .collect();
        shares.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        shares
    }

    /// How many features it knows.
    #[must_use]
    pub fn size(&self) -> usize {
        self.weights.len()
    }
}

fn row_of(
    names: &mut BTreeMap<String, usize>,
    rows: &mut Vec<Row>,
    classes: usize,
    name: &str,
) -> usize {
    if let Some(at) = names.get(name) {
        return *at;
    }
    let zero = vec![0.0; classes];
    rows.push(Row { weights: zero.clone(), begun: zero.clone(), squares: zero });
    names.insert(name.to_owned(), rows.len() - 1);
    rows.len() - 1
}

/// One step: each weight a little towards what the lesson says, less each time it has moved (Adagrad).
fn learn(rows: &mut [Row], classes: usize, lesson: &Lesson, text: &[(usize, f32)], course: Course) {
    let mut scores = vec![0.0_f32; classes];
    for (at, value) in text {
        let Some(row) = rows.get(*at) else { continue };
        for (score, weight) in scores.iter_mut().zip(&row.weights) {
            *score += weight * value;
        }
    }
    let mut slopes = shares_of(&scores, 1.0);
    for (class, share) in &lesson.target {
        if let Some(slope) = slopes.get_mut(*class) {
            *slope -= share;
        }
    }
    // Classes about which nothing is left to learn from this lesson are left alone.
    let steep: Vec<(usize, f32)> = slopes
        .iter()
        .enumerate()
        .filter(|(_, slope)| slope.abs() > 0.002)
        .map(|(class, slope)| (class, slope * lesson.weight))
        .collect();
    for (at, value) in text {
        let Some(row) = rows.get_mut(*at) else { continue };
        for (class, slope) in &steep {
            let (Some(weight), Some(begun), Some(square)) =
                (row.weights.get_mut(*class), row.begun.get(*class), row.squares.get_mut(*class))
            else {
                continue;
            };
            let slope = slope * value + course.decay * (*weight - begun);
            *square += slope * slope;
            *weight -= course.step * slope / (square.sqrt() + 1e-6);
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

/// The same shuffle every time (Fisher and Yates, with a small generator of fixed seed).
fn mix(order: &mut [usize], dice: &mut u64) {
    for at in (1..order.len()).rev() {
        *dice ^= *dice << 13;
        *dice ^= *dice >> 7;
        *dice ^= *dice << 17;
        let bound = u64::try_from(at + 1).unwrap_or(1);
        order.swap(at, usize::try_from(*dice % bound).unwrap_or(0));
    }
}
