#include "embedded/backup.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "embedded/cluster.h"
#include "embedded/data_dir.h"
#include "embedded/file_error.h"
#include "embedded/postgres.h"
#include "embedded/process.h"

namespace content::embedded {
namespace {

// Where a database is kept that a restored one has replaced.
std::string KeptCluster(const Layout& layout) { return layout.cluster + ".replaced"; }

bool IsThere(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

// Whether the database may be replaced.
absl::Status CheckIsEmpty(const RestoreOptions& options) {
  const auto postgres = Postgres::Start({.data_dir = options.data_dir, .create = false});
  return postgres.ok() ? options.check_is_empty((*postgres)->url()) : postgres.status();
}

absl::Status CheckMayReplace(const RestoreOptions& options, const Layout& layout) {
  if (!IsThere(layout.cluster)) return absl::OkStatus();
  if (IsThere(KeptCluster(layout))) {
    return absl::FailedPreconditionError(
        absl::StrCat(KeptCluster(layout),
                     " is there, a database that an earlier restore has replaced: move it away, "
                     "or remove it"));
  }
  return options.may_replace ? absl::OkStatus() : CheckIsEmpty(options);
}

absl::Status Load(const Layout& layout, const User& owner, const std::string& url, int file) {
  const absl::StatusOr<std::string> programs = FindPrograms(layout);
  if (!programs.ok()) return programs.status();
  const absl::StatusOr<std::string> pg_restore = FindClientProgram(*programs, "pg_restore");
  if (!pg_restore.ok()) return pg_restore.status();
  // The users of a database that was not embedded are not here.
  const absl::Status loaded =
      RunOnFiles({.arguments = {*pg_restore, "--single-transaction", "--no-owner",
                                "--no-privileges", absl::StrCat("--dbname=", url)},
                  .user = owner,
                  .input_file = file});
  if (loaded.ok()) return loaded;
  return absl::Status(loaded.code(), absl::StrCat(loaded.message(), NoteOfFullDisk(layout.log)));
}

// Makes the new database, and stops it.
absl::Status Fill(const Layout& layout, const User& owner, const RestoreOptions& options) {
  const auto postgres = Postgres::Start({.data_dir = layout.root, .owner = owner});
  if (!postgres.ok()) return postgres.status();
  absl::Status loaded = Load(layout, owner, (*postgres)->url(), options.file);
  return loaded.ok() ? options.prepare((*postgres)->url()) : loaded;
}

// A new cluster goes by the name of the kept one first, so that one step exchanges the two: at no
// time is there none, which a server would take for a first start.
absl::StatusOr<std::string> PutInPlace(const std::string& filled, const Layout& layout) {
  const bool is_first = !IsThere(layout.cluster);
  const std::string kept = KeptCluster(layout);
  const std::string& name = is_first ? layout.cluster : kept;
  if (rename(filled.c_str(), name.c_str()) != 0) return FileError("rename " + filled, errno);
  if (!is_first &&
      renameat2(AT_FDCWD, kept.c_str(), AT_FDCWD, layout.cluster.c_str(), RENAME_EXCHANGE) != 0) {
    const int error = errno;
    rename(kept.c_str(), filled.c_str());  // to be removed
    return FileError(absl::StrCat("exchange ", layout.cluster,
                                  " (move it away, then restore into what is left)"),
                     error);
  }
  if (absl::Status status = SyncDirectory(layout.root); !status.ok()) return status;
  return is_first ? "" : kept;
}

}  // namespace

absl::StatusOr<std::string> FindClientProgram(const std::string& programs,
                                              const std::string& name) {
  std::string path = absl::StrCat(programs, "/", name);
  if (access(path.c_str(), X_OK) == 0) return path;
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is not installed (Debian's package postgresql-client of that version)"));
}

absl::Status BackUp(const std::string& data_dir, int file) {
  const absl::StatusOr<Layout> layout = LayoutOf(data_dir);
  if (!layout.ok()) return layout.status();
  const absl::StatusOr<User> user = DatabaseUser(*layout);
  if (!user.ok()) return user.status();
  const absl::StatusOr<std::string> programs = FindPrograms(*layout);
  if (!programs.ok()) return programs.status();
  const absl::StatusOr<std::string> pg_dump = FindClientProgram(*programs, "pg_dump");
  if (!pg_dump.ok()) return pg_dump.status();
  return RunOnFiles(
      {.arguments = {*pg_dump, "--format=custom", absl::StrCat("--dbname=", UrlOf(*layout))},
       .user = *user,
       .output_file = file});
}

absl::StatusOr<std::string> Restore(const RestoreOptions& options) {
  const absl::StatusOr<Layout> layout = LayoutOf(options.data_dir);
  if (!layout.ok()) return layout.status();
  const absl::StatusOr<Layout> filled = LayoutOf(layout->root + "/restore");
  if (!filled.ok()) return filled.status();
  if (IsLocked(*layout)) {
    return absl::FailedPreconditionError(absl::StrCat("a process uses the data directory ",
                                                      layout->root, ": stop the server first"));
  }
  if (absl::Status status = CheckMayReplace(options, *layout); !status.ok()) return status;
  const absl::StatusOr<Lock> lock = Lock::Take(*layout);
  if (!lock.ok()) return lock.status();
  if (absl::Status status = StopOrphan(*layout); !status.ok()) return status;
  const absl::StatusOr<User> owner = DatabaseUser(*layout);
  if (!owner.ok()) return owner.status();
  // What an interrupted call has left.
  if (absl::Status status = RemoveDirectory(filled->root); !status.ok()) return status;
  const absl::Cleanup remove = [&filled] { RemoveDirectory(filled->root).IgnoreError(); };
  if (absl::Status status = Fill(*filled, *owner, options); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("nothing has changed: ", status.message()));
  }
  return PutInPlace(filled->cluster, *layout);
}

}  // namespace content::embedded
