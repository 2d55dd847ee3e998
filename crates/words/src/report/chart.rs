//! Bars over the days of a month, as a drawing inside the page.

use jiff::civil::Date;
use maud::{Markup, html};

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 120.0;
const LEFT: f64 = 58.0;
const TOP: f64 = 8.0;
const BASE: f64 = 104.0;

/// What is drawn over one day: the height, and the dark part of it.
pub(super) struct Bar {
    pub(super) day: Date,
    pub(super) value: f64,
    pub(super) dark: f64,
}

/// One drawing.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) legend: &'a str,
    /// The first day of the month.
    pub(super) first: Date,
    pub(super) bars: Vec<Bar>,
    /// A line that should not be crossed.
    pub(super) limit: Option<f64>,
    pub(super) label: &'a dyn Fn(f64) -> String,
}

impl Chart<'_> {
    /// The drawing; nothing, if there is nothing to draw.
    pub(super) fn draw(&self) -> Markup {
        let highest = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
        if highest <= 0.0 {
            return html! {};
        }
        // A limit far above all bars would press them flat.
        let limit = self.limit.filter(|limit| *limit <= highest * 2.0);
        let top = limit.map_or(highest, |limit| limit.max(highest));
        let y = |value: f64| BASE - (BASE - TOP) * (value / top).clamp(0.0, 1.0);
        let days = f64::from(self.first.days_in_month());
        let step = (WIDTH - LEFT) / days;
        let x = |day: Date| LEFT + step * f64::from(day.day() - 1);
        let number = |value: f64| format!("{value:.1}");
        html! {
            figure {
                figcaption { (self.title) " " span { (self.legend) } }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.title) {
                    @for part in [0.0, 0.5, 1.0] {
                        line x1=(number(LEFT)) x2=(number(WIDTH)) y1=(number(y(top * part))) y2=(number(y(top * part)))
                            stroke="#d0d5da" stroke-width="0.6" {}
                        text x=(number(LEFT - 5.0)) y=(number(y(top * part) + 3.0)) text-anchor="end" {
                            ((self.label)(top * part))
                        }
                    }
                    @for bar in &self.bars {
                        rect x=(number(x(bar.day) + step * 0.18)) y=(number(y(bar.value)))
                            width=(number(step * 0.64)) height=(number(BASE - y(bar.value)))
                            fill="#c3ced4" stroke="#57606a" stroke-width="0.4" {}
                        @if bar.dark > 0.0 {
                            rect x=(number(x(bar.day) + step * 0.18)) y=(number(y(bar.dark)))
                                width=(number(step * 0.64)) height=(number(BASE - y(bar.dark))) fill="#1f4e5f" {}
                        }
                    }
                    @if let Some(limit) = limit {
                        line x1=(number(LEFT)) x2=(number(WIDTH)) y1=(number(y(limit))) y2=(number(y(limit)))
                            stroke="#1b1f24" stroke-width="1" stroke-dasharray="4 3" {}
                    }
                    @for day in 1..=self.first.days_in_month() {
                        @if day == 1 || day % 5 == 0 {
                            text x=(number(LEFT + step * (f64::from(day) - 0.5))) y="115" text-anchor="middle" { (day) }
                        }
                    }
                }
            }
        }
    }
}
