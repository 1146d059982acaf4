//! stub
pub(crate) fn verb(_: &std::path::Path, _: &[String]) -> Result<(), String> {
    Ok(())
}
