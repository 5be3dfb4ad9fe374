#pragma once

// What the process inherits and must not keep. Call these before any thread starts.
namespace content {

/// Overwrites the database URL in the process's arguments and in its variable, which `ps` shows to
/// other users. The program must have read both.
void HideDatabaseUrl(int argc, char** argv);

/// Removes libpq's variables (PGHOST, PGOPTIONS, ...) from the environment. For an external
/// database, only those that change sessions: the others may say where it is and who connects.
void IgnoreLibpqVariables(bool is_external);

}  // namespace content
