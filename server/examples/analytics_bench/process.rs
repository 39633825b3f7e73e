//! What this process has taken.

/// CPU time of this process so far, milliseconds; 10 ms steps.
pub fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name") + 2..]
        .split(' ')
        .collect();
    let ticks = fields[11..13]
        .iter()
        .map(|field| field.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() * 10.0
}

/// The most memory that it had, KB.
pub fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
