#pragma once

#include <functional>
#include <memory>
#include <string>

namespace content::testing {

/// Stands between a client and a PostgreSQL on a Unix socket, and cuts a connection where it hurts
/// most: at its COMMIT. Its clients must be gone before it is.
class Proxy {
 public:
  /// What happens to a COMMIT: it never reaches the database, or it is done and the answer lost.
  enum class Cut { kBeforeCommit, kAfterCommit };

  /// `url` is the database's, as NewDatabase gives it.
  explicit Proxy(const std::string& url);
  ~Proxy();

  /// Of the same database, through the proxy.
  const std::string& url() const;

  /// Cuts the connection that commits next. `meanwhile` runs, on a thread of the proxy, before the
  /// client learns of it.
  void CutNextCommit(Cut cut, std::function<void()> meanwhile = {});

  /// Takes no new connections; those there are stay.
  void Close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace content::testing
