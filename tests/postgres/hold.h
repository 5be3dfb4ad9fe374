#pragma once

#include <future>
#include <memory>

#include "postgres/pool.h"

namespace content::postgres {

/// Keeps a connection of the pool busy while it lives.
class Hold {
 public:
  /// Waits until it has the connection.
  explicit Hold(Pool& pool, Pace pace = Pace::kAny) {
    std::promise<void> begun;
    pool.Read<void>(
        {}, pace,
        [&begun, end = end_.get_future().share()](Connection&) {
          begun.set_value();
          end.wait();
          return absl::OkStatus();
        },
        [](const absl::Status&) {});
    begun.get_future().wait();
  }
  ~Hold() { end_.set_value(); }

  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  std::promise<void> end_;
};

}  // namespace content::postgres
