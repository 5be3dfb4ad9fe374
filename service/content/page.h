#pragma once

#include <string>
#include <vector>

namespace content {

/// One page of a list.
template <class T>
struct Page {
  std::vector<T> items;
  /// Key of the last item if more follow, otherwise empty. Opaque outside the store.
  std::string next_key;
};

}  // namespace content
