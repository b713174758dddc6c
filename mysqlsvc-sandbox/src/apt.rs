//! Which Debian mirror this host uses.

use std::{fs, path::Path};

const DEFAULT: &str = "http://deb.debian.org/debian";

/// The first Debian archive that the host's own apt sources name, else Debian's default.
pub(crate) fn mirror() -> String {
    let apt = Path::new("/etc/apt");
    let mut files = vec![apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(apt.join("sources.list.d")) {
        let mut more: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        more.sort();
        files.extend(more);
    }
    files
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .find_map(|text| archive_in(&text))
        .unwrap_or_else(|| DEFAULT.to_owned())
}

/// The first Debian archive in a sources file of either form.
fn archive_in(text: &str) -> Option<String> {
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with("deb ") || line.starts_with("URIs:"))
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_end_matches('/'))
        .find(|word| word.starts_with("http") && word.ends_with("/debian"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::archive_in;

    #[test]
    fn the_archive_is_found_in_both_forms_and_no_other_is_taken() {
        let old = "# deb http://no.example/debian\ndeb [arch=amd64] http://a.example/debian/ x y\n";
        assert_eq!(archive_in(old).as_deref(), Some("http://a.example/debian"));
        let new = "Types: deb\nURIs: https://b.example/debian-security https://b.example/debian\n";
        assert_eq!(archive_in(new).as_deref(), Some("https://b.example/debian"));
        assert_eq!(archive_in("deb https://packages.example/apt stable main"), None);
    }
}
