//! As much of JSON Schema as the published schemas use.

use serde_json::Value;

/// Panics where the value does not fit the schema.
#[track_caller]
pub(crate) fn check(schema: &Value, value: &Value) {
    if let Err(why) = fits(schema, schema, value) {
        panic!("{why}\nin {value:#}");
    }
}

fn fits(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let pointer = name.strip_prefix('#').unwrap();
        fits(root, root.pointer(pointer).ok_or(format!("{name} is not in the schema"))?, value)?;
    }
    for one in schema["allOf"].as_array().into_iter().flatten() {
        fits(root, one, value)?;
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[choice].as_array() {
            any_of(root, choices, value)?;
        }
    }
    of_type(schema, value)?;
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        return Err(format!("{value} is none of {values:?}"));
    }
    if let Some(constant) = schema.get("const")
        && constant != value
    {
        return Err(format!("{value} is not {constant}"));
    }
    object(root, schema, value)?;
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        values.iter().try_for_each(|value| fits(root, items, value))?;
    }
    Ok(())
}

fn any_of(root: &Value, choices: &[Value], value: &Value) -> Result<(), String> {
    let mut whys = Vec::new();
    for choice in choices {
        match fits(root, choice, value) {
            Ok(()) => return Ok(()),
            Err(why) => whys.push(why),
        }
    }
    Err(format!("none of the choices fits: {}", whys.join(" / ")))
}

fn of_type(schema: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("a type the tests do not know: {other}"),
    };
    let good = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => true,
    };
    if good { Ok(()) } else { Err(format!("{value} is not of type {}", schema["type"])) }
}

fn object(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(fields) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    for (name, value) in fields {
        if let Some(schema) = schema["properties"].get(name) {
            fits(root, schema, value).map_err(|why| format!("{name}: {why}"))?;
        }
    }
    Ok(())
}
