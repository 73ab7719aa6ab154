//! Workflow definitions: YAML → document → checked chart → statig.

pub mod expression;
