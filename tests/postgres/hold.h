#pragma once

#include <future>

#include "postgres/pool.h"

namespace content::postgres {

/// While it lives, a connection of the pool does nothing else.
class Hold {
 public:
  explicit Hold(Pool& pool) {
    std::promise<void> begun;
    pool.Run(
        {},
        [&begun, end = end_.get_future().share()](Connection&, bool) {
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
