//! JSON Schema over the tree that was parsed: no second parse, no copy of the document.

mod instance;

use instance::{Instance, InstanceNode};
use jsonschema::{PatternOptions, Registry, Retrieve, Uri, Validator};
use serde_json::Value as SerdeValue;

use crate::{
    error::Error,
    json::{document::Document, parse::Limits},
};

/// A compiled JSON Schema. Draft 2020-12 where `$schema` does not say otherwise; `format` is asserted; patterns run in
/// linear time, so look-around and back-references in them are refused.
pub struct Schema {
    validator: Validator<Instance>,
}

/// One violated keyword.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// RFC 6901 pointer into the document.
    pub pointer: String,
    /// The keyword that is violated.
    pub keyword: String,
    /// RFC 6901 pointer into the schema.
    pub schema_pointer: String,
    /// A sentence that quotes the schema and names, and no values of the document.
    pub message: String,
}

impl Schema {
    /// Compile a schema; `resources` are further schemas by their `$id`.
    ///
    /// # Errors
    /// [`Error::Json`] for text that is not JSON, [`Error::Schema`] for what is not a schema or refers to one that is not
    /// given.
    pub fn compile(schema: &[u8], resources: &[(String, Vec<u8>)]) -> Result<Self, Error> {
        let schema_error = |error: &dyn std::fmt::Display| Error::Schema(format!("the JSON Schema: {error}"));
        let mut registry = Registry::new().retriever(Refuse);
        for (id, resource) in resources {
            registry = registry.add(id, read(resource)?).map_err(|error| schema_error(&error))?;
        }
        let registry = registry.prepare().map_err(|error| schema_error(&error))?;
        let validator = jsonschema::options_for::<Instance>()
            .with_retriever(Refuse)
            .with_registry(&registry)
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(&read(schema)?)
            .map_err(|error| schema_error(&error))?;
        Ok(Self { validator })
    }

    /// Whether the document conforms; sooner done than finding all faults.
    #[must_use]
    pub fn is_valid(&self, document: &Document) -> bool {
        self.validator.is_valid(InstanceNode::of(document))
    }

    /// The first `limit` faults.
    #[must_use]
    pub fn faults(&self, document: &Document, limit: usize) -> Vec<Fault> {
        if self.is_valid(document) {
            return Vec::new();
        }
        let fault = |error: jsonschema::ValidationError<'_>| Fault {
            pointer: error.instance_path().as_str().to_owned(),
            keyword: error.kind().keyword().to_owned(),
            schema_pointer: error.schema_path().as_str().to_owned(),
            message: error.masked_with("the value").to_string(),
        };
        self.validator.iter_errors(InstanceNode::of(document)).take(limit).map(fault).collect()
    }
}

fn read(text: &[u8]) -> Result<SerdeValue, Error> {
    let document = Document::parse(text.to_vec(), Limits::default())?;
    Ok(instance::to_serde(document.root()))
}

/// Nothing is ever fetched.
struct Refuse;

impl Retrieve for Refuse {
    fn retrieve(&self, uri: &Uri<String>) -> Result<SerdeValue, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{uri} is not among the resources, and nothing is fetched").into())
    }
}
