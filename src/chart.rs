//! Workflow definitions: YAML → document → checked chart → statig.
