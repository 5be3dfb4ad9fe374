#pragma once

namespace content {

/// If the process was started without one of the three standard files, starts its program anew with
/// /dev/null in its place. Otherwise a connection could take its number, and receive the log. Call
/// it first: what is open is closed.
void OpenStandardFiles(char** argv);

/// Raises the number of files that the process may have open as far as it is allowed to: each
/// connection takes one.
void RaiseOpenFilesLimit();

}  // namespace content
