#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "http/statusz/history.h"
#include "http/statusz/html.h"

namespace content::statusz {

struct Line {
  std::string name;  ///< empty if it is the only one
  std::optional<double> Sample::*value;
};

struct Chart {
  std::string title;
  std::vector<Line> lines;  ///< one or two
  std::string (*format)(double);
  std::optional<double> top = {};  ///< The value at the upper edge; nullopt: the highest one.
  bool counts_trouble = false;     ///< Less is better, and 0 is right.
};

/// Returns a figure with the chart, its last values and its highest one, and the same in words for
/// those who do not see it.
Html DrawChart(const Chart& chart, absl::Span<const Sample> samples);

}  // namespace content::statusz
