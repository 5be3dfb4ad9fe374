#pragma once

namespace content {

/// Opens /dev/null in place of each of the three standard files that the process was started
/// without. Otherwise a connection could take the number of one, and receive the log. Call it
/// before anything else is opened.
void OpenStandardFiles();

/// Raises the number of files that the process may have open as far as it is allowed to: each
/// connection takes one.
void RaiseOpenFilesLimit();

}  // namespace content
