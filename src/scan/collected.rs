//! What the first pass has found, by file.

use std::collections::HashSet;
use std::sync::Arc;

use super::ScanResult;
use super::config_maps::{ConfigMapCollector, ConfigMapDigest};
use super::digest::Digest;
use super::facts::{LaterPasses, SyntaxProblems, TextFacts};
use super::input_file::InputFile;
use super::namespaces::NamespaceCollector;
use super::work::{FileResults, FileTask};

/// The files that further passes read, and what they are evaluated with.
#[derive(Debug, Default)]
pub struct CollectedFiles {
    /// The namespaces of all files.
    pub namespaces: NamespaceCollector,
    pub(super) config_maps: ConfigMapCollector,
    /// The fingerprints of the names of ConfigMaps that objects refer to.
    pub(super) references: HashSet<u64>,
    pub(super) files: Vec<CollectedFile>,
}

/// A file after the first pass.
#[derive(Debug)]
pub(super) struct CollectedFile {
    pub(super) file: Arc<InputFile>,
    pub(super) name: String,
    pub(super) digest: Digest,
    /// Whether the parts of the file are evaluated one by one; else it is one part.
    pub(super) is_divided: bool,
    pub(super) written_by_tool: bool,
    pub(super) parts: Vec<CollectedPart>,
}

/// A part of a file after the first pass.
#[derive(Debug)]
pub(super) struct CollectedPart {
    /// The number of documents before the part.
    pub(super) documents_before: usize,
    pub(super) later: LaterPasses,
}

/// What the first pass has to report of a file.
#[derive(Debug)]
pub struct FileReport {
    /// The file.
    pub file: Arc<InputFile>,
    /// Whether there is nothing but white space.
    pub is_blank: bool,
    /// What is wrong with its texts; nothing if the last pass will report it.
    pub problems: SyntaxProblems,
    /// The counts of what the last pass does not evaluate.
    pub counts: ScanResult,
}

impl CollectedFiles {
    /// Adds a file with the facts of all of its parts.
    pub(super) fn add(&mut self, file: FileResults<TextFacts>) -> FileReport {
        let FileResults {
            task: FileTask { file, .. },
            digest,
            is_divided,
            results: facts,
        } = file;
        let mut report = FileReport {
            file: Arc::clone(&file),
            is_blank: true,
            problems: SyntaxProblems::default(),
            counts: ScanResult::default(),
        };
        let (mut parts, mut documents_before) = (Vec::new(), 0);
        let written_by_tool = facts.iter().any(|part| part.written_by_tool);
        for part in facts {
            for namespace in part.namespaces {
                self.namespaces.merge(namespace);
            }
            self.references.extend(part.references);
            for digest in &part.later.config_maps {
                self.config_maps.add_digest(*digest);
            }
            report.is_blank &= part.is_blank;
            if is_divided || !part.later.may_have_findings {
                report.problems.add(part.problems);
            }
            report.counts.add(part.counts);
            parts.push(CollectedPart {
                documents_before,
                later: part.later,
            });
            documents_before += part.documents;
        }
        if parts.iter().any(CollectedPart::may_be_read_again) {
            self.files.push(CollectedFile {
                name: file.name(),
                file,
                digest,
                is_divided,
                written_by_tool,
                parts,
            });
        }
        report
    }

    /// Whether the content of a ConfigMap is needed, because objects refer to it.
    pub(super) fn is_referenced(&self, config_map: ConfigMapDigest) -> bool {
        self.references.contains(&config_map.name)
    }

    /// Whether the second pass reads a part.
    pub(super) fn has_config_maps(&self, part: &CollectedPart) -> bool {
        let is_needed =
            |one: &ConfigMapDigest| self.is_referenced(*one) || self.config_maps.is_disputed(*one);
        part.later.may_edit_config_maps || part.later.config_maps.iter().any(is_needed)
    }
}

impl CollectedPart {
    fn may_be_read_again(&self) -> bool {
        self.later.may_have_findings || !self.later.config_maps.is_empty()
    }
}
