//! A labelled field with its hint and what is wrong with it.

use leptos::prelude::*;

use super::Form;

/// One field of a form; what is in it comes from the [`Form`].
#[derive(Clone, Debug)]
pub struct Field {
    name: String,
    label: &'static str,
    hint: String,
    class: &'static str,
    control: Control,
}

#[derive(Clone, Debug)]
enum Control {
    Line {
        kind: &'static str,
        placeholder: &'static str,
        initially: &'static str,
    },
    Area {
        rows: u8,
        code: bool,
    },
    Choice(Vec<(String, String)>),
    Box,
    Boxes(Vec<(&'static str, &'static str)>),
}

impl Control {
    /// A value of it as it stands on the page: with the labels of what can be chosen.
    fn in_words(&self, value: String) -> String {
        match self {
            Self::Choice(options) => {
                let chosen = options.iter().find(|(option, _)| *option == value);
                chosen.map_or(value, |(_, label)| label.clone())
            }
            Self::Boxes(options) => {
                let label = |one| options.iter().find(|(option, _)| *option == one);
                let ticked = value.split(", ");
                let labels: Vec<_> = ticked
                    .map(|one| label(one).map_or(one, |(_, label)| label))
                    .collect();
                labels.join(", ")
            }
            Self::Line { .. } | Self::Area { .. } | Self::Box => value,
        }
    }
}

impl Field {
    fn new(name: impl Into<String>, label: &'static str, control: Control) -> Self {
        Self {
            name: name.into(),
            label,
            hint: String::new(),
            class: "field",
            control,
        }
    }

    /// A line of text.
    pub fn line(name: impl Into<String>, label: &'static str) -> Self {
        let control = Control::Line {
            kind: "text",
            placeholder: "",
            initially: "",
        };
        Self::new(name, label, control)
    }

    /// A whole number. Not a browser's number field: that one hides what it does not like.
    pub fn number(name: impl Into<String>, label: &'static str) -> Self {
        Self::line(name, label).short()
    }

    /// A day and a time of day with its seconds, UTC.
    pub fn moment(name: impl Into<String>, label: &'static str) -> Self {
        let control = Control::Line {
            kind: "datetime-local",
            placeholder: "",
            initially: "",
        };
        Self::new(name, label, control)
    }

    /// Lines of text.
    pub fn area(name: impl Into<String>, label: &'static str, rows: u8) -> Self {
        Self::new(name, label, Control::Area { rows, code: false }).wide()
    }

    /// Lines of something that machines read.
    pub fn code(name: impl Into<String>, label: &'static str, rows: u8) -> Self {
        Self::new(name, label, Control::Area { rows, code: true }).wide()
    }

    /// One of some values, each with its label.
    pub fn choice<V: Into<String>, L: Into<String>>(
        name: impl Into<String>,
        label: &'static str,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        let options = options
            .into_iter()
            .map(|(value, label)| (value.into(), label.into()))
            .collect();
        Self::new(name, label, Control::Choice(options))
    }

    /// Yes or no.
    pub fn tick(name: impl Into<String>, label: &'static str) -> Self {
        Self::new(name, label, Control::Box)
    }

    /// Any of some values.
    pub fn ticks(
        name: impl Into<String>,
        label: &'static str,
        options: &[(&'static str, &'static str)],
    ) -> Self {
        Self::new(name, label, Control::Boxes(options.to_vec())).wide()
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub fn placeholder(mut self, text: &'static str) -> Self {
        if let Control::Line { placeholder, .. } = &mut self.control {
            *placeholder = text;
        }
        self
    }

    /// What is in it as long as the form does not have the field: in a row to add.
    pub fn initially(mut self, text: &'static str) -> Self {
        if let Control::Line { initially, .. } = &mut self.control {
            *initially = text;
        }
        self
    }

    /// Takes the whole width of the form.
    pub fn wide(mut self) -> Self {
        self.class = "field wide";
        self
    }

    pub fn short(mut self) -> Self {
        self.class = "field short";
        self
    }

    /// With a class of its own, by which the stylesheet shows it only beside a certain choice.
    pub fn only(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    pub fn show(self, form: &Form) -> AnyView {
        let id = form.element_id(&self.name);
        let error = form.error(&self.name);
        let hint_id = (!self.hint.is_empty()).then(|| format!("{id}-hint"));
        let error_id = error.is_some().then(|| format!("{id}-error"));
        let in_force = form.in_force(&self.name);
        let in_force = in_force.map(|text| self.control.in_words(text));
        let in_force_id = in_force.is_some().then(|| format!("{id}-in-force"));
        let described: Vec<_> = [&error_id, &in_force_id, &hint_id]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let described = (!described.is_empty()).then(|| described.join(" "));
        let hint = hint_id.map(|id| view! { <p class="hint" id=id>{self.hint}</p> });
        let hint = view! {
            {in_force.map(|text| in_force_note(in_force_id, text))}
            {hint}
        };
        let error_text = error.map(|text| {
            view! {
                <p class="field-error" id=error_id.clone()>
                    {text}
                </p>
            }
        });
        let invalid = error_text.is_some().then_some("true");
        let (name, label, class) = (self.name, self.label, self.class);

        let control = match self.control {
            Control::Boxes(options) => {
                let boxes = options
                    .into_iter()
                    .map(|(value, text)| {
                        let ticked = form.values.all(&name).any(|one| one == value);
                        view! {
                            <label class="tick">
                                <input type="checkbox" name=name.clone() value=value checked=ticked />
                                <span>{text}</span>
                            </label>
                        }
                    })
                    .collect_view();
                return view! {
                    <fieldset class=class id=id aria-describedby=described>
                        <legend>{label}</legend>
                        <div class="ticks">{boxes}</div>
                        {error_text}
                        {hint}
                    </fieldset>
                }
                .into_any();
            }
            Control::Box => {
                let ticked = form.values.has(&name);
                return view! {
                    <div class=class>
                        <label class="tick">
                            <input
                                type="checkbox"
                                id=id
                                name=name
                                checked=ticked
                                aria-invalid=invalid
                                aria-describedby=described
                            />
                            <span>{label}</span>
                        </label>
                        {error_text}
                        {hint}
                    </div>
                }
                .into_any();
            }
            Control::Line {
                kind,
                placeholder,
                initially,
            } => {
                let mut value = match form.values.has(&name) {
                    true => form.value(&name),
                    false => initially.to_owned(),
                };
                if kind == "datetime-local" {
                    // Browsers empty what has more than milliseconds.
                    value = value
                        .chars()
                        .take("2026-12-31T23:59:59.999".len())
                        .collect();
                }
                view! {
                    <input
                        type=kind
                        step=(kind == "datetime-local").then_some("1")
                        id=id.clone()
                        name=name
                        value=value
                        placeholder=(!placeholder.is_empty()).then_some(placeholder)
                        autocomplete="off"
                        spellcheck="false"
                        aria-invalid=invalid
                        aria-describedby=described
                    />
                }
                .into_any()
            }
            Control::Area { rows, code } => view! {
                <textarea
                    id=id.clone()
                    name=name.clone()
                    rows=rows.to_string()
                    class:code=code
                    spellcheck=if code { "false" } else { "true" }
                    aria-invalid=invalid
                    aria-describedby=described
                    inner_html=content(form.values.get(&name))
                ></textarea>
            }
            .into_any(),
            Control::Choice(options) => {
                let chosen = form.value(&name);
                let options = options
                    .into_iter()
                    .map(|(value, text)| {
                        let selected = value == chosen;
                        view! {
                            <option value=value selected=selected>
                                {text}
                            </option>
                        }
                    })
                    .collect_view();
                view! {
                    <select
                        id=id.clone()
                        name=name
                        aria-invalid=invalid
                        aria-describedby=described
                    >
                        {options}
                    </select>
                }
                .into_any()
            }
        };
        view! {
            <div class=class>
                <label for=id>{label}</label>
                {control}
                {error_text}
                {hint}
            </div>
        }
        .into_any()
    }
}

/// What somebody else has put into the field meanwhile.
fn in_force_note(id: Option<String>, text: String) -> AnyView {
    view! {
        <p class="field-in-force" id=id>
            <strong>"In force now: "</strong>
            {text}
        </p>
    }
    .into_any()
}

/// A text as the content of a `textarea`. As a child it would be a text node, which is a space where it is empty.
fn content(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 8);
    // The first line break of a page's `textarea` is not part of its text.
    if cfg!(feature = "ssr") && text.starts_with(['\n', '\r']) {
        html.push('\n');
    }
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            _ => html.push(letter),
        }
    }
    html
}
