// What most tests include. Parsing it is most of the work of compiling a small test, so it is
// compiled once for each suite of many files. Tests include what they use all the same.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/call.h"
#include "content/store.h"
