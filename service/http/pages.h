#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/gate.h"
#include "base/memory_guard.h"
#include "cache/article_cache.h"
#include "http/listener.h"
#include "http/statusz/status.h"
#include "server/server.h"
#include "store/postgres_store.h"
#include "tls/reloader.h"

namespace content::http {

/// The program that runs, and since when.
struct Program {
  std::string version;
  /// The commit that it was built from; empty if that is not known.
  std::string commit;
  absl::Time start;
};

/// The parts of a server that pages are about.
struct Rooms {
  store::ObservedStore& store;
  cache::ArticleCache& cache;
  const server::Server& server;
  const access::Gate& gate;
  const MemoryGuard& memory;
  /// nullptr: the server has none.
  const tls::Reloader* certificates;
};

/// Returns why clients should be sent elsewhere; empty if they should not.
absl::string_view WhyNotReady(const Rooms& rooms);

/// The pages of a server that serves, or drains. What `rooms` refers to must outlive them.
///
/// - `/livez`: the process answers. Whoever restarts processes asks it; so it depends on nothing
///   that a restart does not mend.
/// - `/readyz`: the server can answer calls, if only with stale data while the database is away.
///   Whoever sends clients asks it. 503 says why not.
/// - `/metrics`: for Prometheus.
/// - `/statusz`: for people. Has a thread that looks at the numbers.
Pages PagesOf(const Program& program, const Rooms& rooms);

/// The pages of a process that does not serve because it is in `phase`, kStarting or kStopping. It
/// is alive and not ready.
Pages PagesOutOfService(const Program& program, statusz::Phase phase);

}  // namespace content::http
