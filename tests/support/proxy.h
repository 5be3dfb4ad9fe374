#pragma once

#include <functional>
#include <memory>
#include <string>

namespace content::testing {

/// Sits between a client and a PostgreSQL on a Unix socket, and can cut a connection at its COMMIT.
/// Clients must disconnect before it is destroyed.
class Proxy {
 public:
  /// What happens to the COMMIT: it never reaches the database, or it is executed and its answer
  /// lost.
  enum class Cut { kBeforeCommit, kAfterCommit };

  /// `url` is the database's, as returned by NewDatabase.
  explicit Proxy(const std::string& url);
  ~Proxy();

  /// Returns the URL of the same database through the proxy.
  const std::string& url() const;

  /// Cuts the connection that commits next. `meanwhile` runs, on a thread of the proxy, before the
  /// client learns of it.
  void CutNextCommit(Cut cut, std::function<void()> meanwhile = {});

  /// Accepts no new connections; existing ones stay open.
  void Close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace content::testing
