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

bool IsThere(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

// The new database, as long as it is not complete.
Layout NewCluster(Layout layout) {
  layout.cluster += ".restoring";
  return layout;
}

// The new database once it is complete, and in the next moment the one that it has replaced.
std::string ExchangedCluster(const Layout& layout) { return layout.cluster + ".restored"; }

// The database that it has replaced.
std::string KeptCluster(const Layout& layout) { return layout.cluster + ".replaced"; }

absl::Status NothingHasChanged(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("nothing has changed: ", status.message()));
}

absl::StatusOr<Lock> TakeLock(const Layout& layout) {
  absl::StatusOr<Lock> lock = Lock::Take(layout);
  if (lock.ok() || !IsLocked(layout)) return lock;
  return absl::FailedPreconditionError(
      absl::StrCat(lock.status().message(), ": stop the server first"));
}

// Whether the database that is there may be replaced.
absl::Status CheckMayReplace(const RestoreOptions& options, const Layout& layout,
                             const User& owner) {
  for (const std::string& left : {ExchangedCluster(layout), KeptCluster(layout)}) {
    if (!IsThere(left)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        left,
        " is there, a database that an earlier restore has put aside: move it away, or "
        "remove it"));
  }
  if (options.may_replace) return absl::OkStatus();
  const auto postgres = Postgres::StartOwned(layout, owner);
  if (!postgres.ok()) return options.check_is_empty(postgres.status());
  return options.check_is_empty((*postgres)->url());
}

// Removes what an interrupted call has left, but nothing of others that has its name.
absl::Status RemoveLeft(const Layout& filled) {
  struct stat info;
  if (lstat(filled.cluster.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISDIR(info.st_mode) || !IsThere(filled.cluster + "/PG_VERSION")) {
    return absl::FailedPreconditionError(
        absl::StrCat(filled.cluster, " is there, and is no database: move it away, or remove it"));
  }
  if (absl::Status status = StopOrphan(filled); !status.ok()) return status;
  return RemoveDirectory(filled.cluster);
}

absl::Status Load(const Layout& layout, const User& owner, const std::string& url, int file) {
  const absl::StatusOr<std::string> programs = FindPrograms(layout);
  if (!programs.ok()) return programs.status();
  const absl::StatusOr<std::string> pg_restore = FindClientProgram(*programs, "pg_restore");
  if (!pg_restore.ok()) return pg_restore.status();
  // The users of a database that was not embedded are not here.
  absl::Status loaded =
      RunOnFiles({.arguments = {*pg_restore, "--single-transaction", "--no-owner",
                                "--no-privileges", absl::StrCat("--dbname=", url)},
                  .user = owner,
                  .input_file = file});
  if (loaded.ok()) return loaded;
  return absl::Status(loaded.code(), absl::StrCat(loaded.message(), NoteOfFullDisk(layout.log)));
}

// Makes the new database, and stops it.
absl::Status Fill(const Layout& filled, const User& owner, const RestoreOptions& options) {
  const auto postgres = Postgres::StartOwned(filled, owner);
  if (!postgres.ok()) return postgres.status();
  absl::Status loaded = Load(filled, owner, (*postgres)->url(), options.file);
  return loaded.ok() ? options.prepare((*postgres)->url()) : loaded;
}

// Puts the new database in the place of the database that is there, and returns where that is now.
// At no time is there none, which a server would take for a first start.
absl::StatusOr<std::string> Exchange(const std::string& filled, const Layout& layout) {
  // No longer a name of what may be removed: it will be that of the other database.
  const std::string exchanged = ExchangedCluster(layout);
  if (rename(filled.c_str(), exchanged.c_str()) != 0) return FileError("rename " + filled, errno);
  if (renameat2(AT_FDCWD, exchanged.c_str(), AT_FDCWD, layout.cluster.c_str(), RENAME_EXCHANGE) !=
      0) {
    const int error = errno;
    rename(exchanged.c_str(), filled.c_str());  // to be removed
    return FileError(absl::StrCat("exchange ", layout.cluster,
                                  " (move it away, then restore into what is left)"),
                     error);
  }
  std::string kept = KeptCluster(layout);
  return rename(exchanged.c_str(), kept.c_str()) == 0 ? kept : exchanged;
}

absl::StatusOr<std::string> PutInPlace(const std::string& filled, const Layout& layout) {
  if (IsThere(layout.cluster)) return Exchange(filled, layout);
  if (rename(filled.c_str(), layout.cluster.c_str()) == 0) return "";
  return FileError("rename " + filled, errno);
}

// The database is in its place: the names have to reach the disk.
absl::Status Sync(const Layout& layout, const std::string& kept) {
  absl::Status status = SyncDirectory(layout.root);
  if (status.ok()) return status;
  return absl::DataLossError(
      absl::StrCat("the backup is restored, but may not be on disk: ", status.message(),
                   kept.empty() ? "" : "; the database that was there is ", kept));
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
  const absl::StatusOr<Lock> lock = TakeLock(*layout);
  if (!lock.ok()) return lock.status();
  if (absl::Status status = StopOrphan(*layout); !status.ok()) return status;
  const absl::StatusOr<User> owner = DatabaseUser(*layout);
  if (!owner.ok()) return owner.status();
  if (IsThere(layout->cluster)) {
    if (absl::Status status = CheckMayReplace(options, *layout, *owner); !status.ok()) {
      return status;
    }
  }
  const Layout filled = NewCluster(*layout);
  if (absl::Status status = RemoveLeft(filled); !status.ok()) return status;
  const absl::Cleanup remove = [&filled] { RemoveDirectory(filled.cluster).IgnoreError(); };
  if (absl::Status status = Fill(filled, *owner, options); !status.ok()) {
    return NothingHasChanged(status);
  }
  absl::StatusOr<std::string> kept = PutInPlace(filled.cluster, *layout);
  if (!kept.ok()) return NothingHasChanged(kept.status());
  if (absl::Status status = Sync(*layout, *kept); !status.ok()) return status;
  return kept;
}

}  // namespace content::embedded
