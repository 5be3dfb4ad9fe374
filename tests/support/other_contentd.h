#pragma once

#include <string>

namespace content::testing {

/// While it exists, RunContentd and ContentdServer (contentd.h) start this program.
class OtherContentd {
 public:
  explicit OtherContentd(const std::string& path);
  ~OtherContentd();

  OtherContentd(const OtherContentd&) = delete;
  OtherContentd& operator=(const OtherContentd&) = delete;
};

}  // namespace content::testing
