#include "http/statusz/chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace content::statusz {
namespace {

// Units of the picture, which is stretched to the width that there is.
constexpr double kWidth = 720;
constexpr double kHeight = 100;

using Value = std::optional<double> Sample::*;

std::optional<double> Highest(absl::Span<const Sample> samples, Value value) {
  std::optional<double> highest;
  for (const Sample& sample : samples) {
    if (sample.*value) highest = std::max(highest.value_or(0), *(sample.*value));
  }
  return highest;
}

std::optional<double> Last(absl::Span<const Sample> samples, Value value) {
  return samples.empty() ? std::nullopt : samples.back().*value;
}

std::string FormatOr(const std::optional<double>& value, const Chart& chart) {
  return value ? chart.format(*value) : "none";
}

// Draws lines of at least two neighbours that have values.
class Pen {
 public:
  Pen(absl::Span<const Sample> samples, double top)
      : begin_(samples.front().at),
        span_(std::max(samples.back().at - begin_, absl::Seconds(1))),
        top_(top) {}

  // The line itself.
  std::string Stroke(absl::Span<const Sample> samples, Value value) const {
    std::string path;
    ForEachPiece(samples, value,
                 [&](absl::Span<const Sample> piece) { AppendPiece(path, 'M', piece, value); });
    return path;
  }

  // What is below it.
  std::string Area(absl::Span<const Sample> samples, Value value) const {
    std::string path;
    ForEachPiece(samples, value, [&](absl::Span<const Sample> piece) {
      absl::StrAppend(&path, "M", X(piece.front()), " ", kHeight);
      AppendPiece(path, 'L', piece, value);
      absl::StrAppend(&path, "L", X(piece.back()), " ", kHeight, "Z");
    });
    return path;
  }

 private:
  template <class Action>
  static void ForEachPiece(absl::Span<const Sample> samples, Value value, Action action) {
    const auto has_value = [&](const Sample& sample) { return (sample.*value).has_value(); };
    for (auto begin = samples.begin(); begin != samples.end();) {
      begin = std::find_if(begin, samples.end(), has_value);
      const auto end = std::find_if_not(begin, samples.end(), has_value);
      if (begin != end) action(absl::MakeSpan(&*begin, static_cast<size_t>(end - begin)));
      begin = end;
    }
  }

  void AppendPiece(std::string& path, char command, absl::Span<const Sample> piece,
                   Value value) const {
    for (const Sample& sample : piece) {
      absl::StrAppend(&path, absl::string_view(&command, 1), X(sample), " ", Y(*(sample.*value)));
      command = 'L';
    }
    // A line of one point would not be seen.
    if (piece.size() == 1) path += "h1";
  }

  double X(const Sample& sample) const {
    return std::round(absl::FDivDuration(sample.at - begin_, span_) * kWidth);
  }

  double Y(double value) const {
    const double y = top_ > 0 ? kHeight * (1 - value / top_) : kHeight;
    return std::round(y * 10) / 10;
  }

  SteadyTime begin_;
  absl::Duration span_;
  double top_;
};

// "Latency of calls. Median: now 1.2 ms, at most 3 ms. 99th percentile: now ..."
std::string InWords(const Chart& chart, absl::Span<const Sample> samples) {
  std::string words = absl::StrCat(chart.title, ".");
  for (const Line& line : chart.lines) {
    absl::StrAppend(&words, " ", line.name, line.name.empty() ? "Now " : ": now ",
                    FormatOr(Last(samples, line.value), chart), ", at most ",
                    FormatOr(Highest(samples, line.value), chart), ".");
  }
  return words;
}

double TopOf(const Chart& chart, absl::Span<const Sample> samples) {
  if (chart.top) return *chart.top;
  double top = 0;
  for (const Line& line : chart.lines) {
    top = std::max(top, Highest(samples, line.value).value_or(0));
  }
  return top;
}

Html Picture(const Chart& chart, absl::Span<const Sample> samples) {
  Html paths;
  if (!samples.empty()) {
    const Pen pen(samples, TopOf(chart, samples));
    for (size_t i = 0; i < chart.lines.size(); ++i) {
      const Value value = chart.lines[i].value;
      const std::string nth = absl::StrCat(" line-", i + 1);
      if (chart.lines.size() == 1) {
        paths += EmptyElement("path", {{"class", "area"}, {"d", pen.Area(samples, value)}});
      }
      paths += EmptyElement("path", {{"class", "line" + nth}, {"d", pen.Stroke(samples, value)}});
    }
  }
  return Element("svg",
                 {{"viewBox", absl::StrCat("0 -4 ", kWidth, " ", kHeight + 8)},
                  {"preserveAspectRatio", "none"},
                  {"role", "img"},
                  {"aria-label", InWords(chart, samples)}},
                 paths);
}

// "p50 1.2 ms"
Html LastValue(const Chart& chart, size_t index, absl::Span<const Sample> samples) {
  const Line& line = chart.lines[index];
  const std::optional<double> value = Last(samples, line.value);
  Html name;
  if (!line.name.empty()) {
    name = Element("span", {{"class", absl::StrCat("key line-", index + 1)}}, line.name) + " ";
  }
  return Element("span", {{"class", "last"}}, name + (value ? chart.format(*value) : "–"));
}

}  // namespace

Html DrawChart(const Chart& chart, absl::Span<const Sample> samples) {
  Html values;
  for (size_t i = 0; i < chart.lines.size(); ++i) values += LastValue(chart, i, samples);
  const bool is_trouble =
      chart.counts_trouble && Highest(samples, chart.lines.front().value).value_or(0) > 0;
  // A top that is always the same tells nothing.
  const std::string scale = chart.top ? "" : "max " + chart.format(TopOf(chart, samples));
  return Element(
      "figure", {{"class", is_trouble ? "chart trouble" : "chart"}},
      Element("figcaption", Element("span", {{"class", "title"}}, chart.title) + values) +
          Picture(chart, samples) +
          Element("p", {{"class", "scale"}, {"aria-hidden", "true"}}, scale));
}

}  // namespace content::statusz
