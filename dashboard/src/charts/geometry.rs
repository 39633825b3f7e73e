//! Where things are in a chart: shared by the drawing and by the crosshair over it.

use shared::analytics::Bucket;

use super::ChartKind;

/// A drawing's size in its own pixels. A page shows the one that fits and scales it a little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    pub width: f32,
    pub height: f32,
    /// From the left edge to the plot: room for the labels of the y axis.
    pub left: f32,
    pub right: f32,
    pub top: f32,
    /// From the plot to the bottom edge: room for the labels of the x axis.
    pub bottom: f32,
}

impl Size {
    pub const WIDE: Self = Self {
        width: 560.0,
        height: 216.0,
        left: 50.0,
        right: 6.0,
        top: 10.0,
        bottom: 24.0,
    };
    pub const NARROW: Self = Self {
        width: 330.0,
        height: 190.0,
        left: 46.0,
        right: 4.0,
        top: 10.0,
        bottom: 24.0,
    };

    pub fn plot_width(self) -> f32 {
        self.width - self.left - self.right
    }

    pub fn plot_height(self) -> f32 {
        self.height - self.top - self.bottom
    }

    /// Insets of the plot in per cent of the drawing, as CSS takes them: top, right, bottom, left.
    pub fn inset(self) -> String {
        let percent = |part: f32, whole: f32| format!("{:.3}%", part / whole * 100.0);
        format!(
            "{} {} {} {}",
            percent(self.top, self.height),
            percent(self.right, self.width),
            percent(self.bottom, self.height),
            percent(self.left, self.width),
        )
    }
}

/// The y axis: from 0 to `top` in `steps` equal steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub top: f64,
    pub steps: usize,
}

impl Scale {
    /// The scale that shows all of `buckets`, with round steps.
    pub fn of(kind: ChartKind, buckets: &[Bucket]) -> Self {
        let highest = buckets
            .iter()
            .map(|bucket| {
                let values = kind
                    .series()
                    .iter()
                    .filter_map(|series| (series.value)(&bucket.totals));
                if kind.is_stacked() {
                    values.sum()
                } else {
                    values.fold(0.0, f64::max)
                }
            })
            .fold(0.0, f64::max);
        Self::reaching(highest, kind.is_whole())
    }

    fn reaching(highest: f64, whole: bool) -> Self {
        if !highest.is_finite() || highest <= 0.0 {
            return Self { top: 1.0, steps: 1 };
        }
        let magnitude = 10_f64.powf((highest / 4.0).log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|digit| digit * magnitude)
            .filter(|step| !whole || step.fract() == 0.0 && *step >= 1.0)
            .find(|step| step * 4.0 >= highest)
            .unwrap_or(1.0);
        let steps = ((highest / step).ceil() as usize).max(1);
        Self {
            top: step * steps as f64,
            steps,
        }
    }

    /// The values at the ticks, from 0 up.
    pub fn ticks(self) -> impl Iterator<Item = f64> {
        (0..=self.steps).map(move |i| self.top * i as f64 / self.steps as f64)
    }

    /// How far up the plot a value is, from 0 to 1.
    pub fn height(self, value: f64) -> f64 {
        (value / self.top).clamp(0.0, 1.0)
    }
}

/// Where bucket `index` of `count` is across the plot, from 0 to 1: its middle.
pub fn position(index: usize, count: usize) -> f64 {
    (index as f64 + 0.5) / count.max(1) as f64
}

/// The bucket at `position` across the plot.
pub fn index_at(position: f64, count: usize) -> usize {
    ((position.clamp(0.0, 1.0) * count as f64) as usize).min(count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::{Scale, index_at, position};

    #[test]
    fn scales_reach_the_highest_value_in_few_round_steps() {
        for highest in [0.000_012, 0.3, 1.0, 3.0, 7.0, 41.0, 999.0, 1_234_567.0] {
            for whole in [false, true] {
                let scale = Scale::reaching(highest, whole);
                assert!(scale.top >= highest, "{highest} {whole}: {scale:?}");
                assert!((1..=5).contains(&scale.steps), "{highest}: {scale:?}");
                if whole {
                    assert!(scale.ticks().all(|tick| tick.fract() == 0.0), "{scale:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_at_all_still_has_a_scale() {
        assert_eq!(Scale::reaching(0.0, true), Scale { top: 1.0, steps: 1 });
        assert_eq!(Scale::reaching(f64::NAN, false).top, 1.0);
    }

    #[test]
    fn the_pointer_finds_the_bucket_it_is_over() {
        for count in [1, 2, 96, 168] {
            for index in 0..count {
                assert_eq!(index_at(position(index, count), count), index);
            }
        }
        assert_eq!(index_at(1.0, 96), 95);
        assert_eq!(index_at(0.4, 0), 0);
    }
}
