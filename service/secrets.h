#pragma once

// What the process inherits and must not keep. Call these before any thread starts.
namespace content {

/// Overwrites the database URLs in the process's arguments and in their variables, which `ps` shows
/// to other users. The program must have read them.
void HideDatabaseUrls(int argc, char** argv);

/// Removes libpq's variables (PGHOST, PGOPTIONS, ...) from the environment. For an external
/// database, only those that change sessions: the others may say where it is and who connects.
void IgnoreLibpqVariables(bool is_external);

}  // namespace content
