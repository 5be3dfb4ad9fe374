#include "http/statusz/page.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "http/statusz/chart.h"
#include "http/statusz/failures.h"
#include "http/statusz/format.h"
#include "http/statusz/html.h"
#include "http/statusz/style.h"
#include "postgres/failure.h"

namespace content::statusz {
namespace {

constexpr absl::string_view kReloadSeconds = "10";

struct Figure {
  std::string name;
  Html value;
  bool is_bad = false;
};

// Names and values, side by side.
Html Figures(const std::vector<Figure>& figures) {
  Html list;
  for (const Figure& figure : figures) {
    list += Element("div", {{"class", figure.is_bad ? "figure bad" : "figure"}},
                    Element("dt", figure.name) + Element("dd", figure.value));
  }
  return Element("dl", {{"class", "figures"}}, list);
}

struct Column {
  absl::string_view name;
  bool is_minor = false;  // Left out on a narrow screen.
};

struct Cell {
  Html content;
  bool is_bad = false;
};

// A table whose first column has names, and the others numbers.
class Table {
 public:
  Table(absl::string_view caption, std::vector<Column> columns)
      : caption_(caption), columns_(std::move(columns)) {}

  // `cells` are those of the columns after the first.
  void AddRow(const Html& name, const std::vector<Cell>& cells) {
    Html row = Element("th", {{"scope", "row"}}, name);
    for (size_t i = 0; i < cells.size(); ++i) {
      const absl::string_view importance = columns_[i + 1].is_minor ? "minor" : "major";
      row += Element("td", {{"class", absl::StrCat(importance, cells[i].is_bad ? " bad" : "")}},
                     cells[i].content);
    }
    rows_ += Element("tr", row);
  }

  bool empty() const { return rows_.empty(); }

  Html Draw() const {
    Html head;
    for (const Column& column : columns_) {
      head += Element("th", {{"scope", "col"}, {"class", column.is_minor ? "minor" : "major"}},
                      column.name);
    }
    // With few columns, what belongs together would be far apart.
    return Element("table", {{"class", columns_.size() > 4 ? "wide" : "narrow"}},
                   Element("caption", caption_) + Element("thead", Element("tr", head)) +
                       Element("tbody", rows_));
  }

 private:
  std::string caption_;
  std::vector<Column> columns_;
  Html rows_;
};

// A name, and something about it that is less important.
Html Dimmed(absl::string_view name, absl::string_view detail) {
  if (detail.empty()) return name;
  return Html(name) + " " + Element("span", {{"class", "dim"}}, detail);
}

Html Note(const Html& text) { return Element("p", {{"class", "note"}}, text); }

Html Card(absl::string_view title, const Html& content) {
  return Element("section", Element("h2", title) + content);
}

std::string OrDash(const std::optional<double>& value, std::string (*format)(double)) {
  return value ? format(*value) : "–";
}

// --- What is on top ---------------------------------------------------------

Severity WorstOf(const std::vector<Problem>& problems) {
  Severity worst = Severity::kNotice;
  for (const Problem& problem : problems) worst = std::max(worst, problem.severity);
  return worst;
}

absl::string_view ClassOf(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kWarning:
      return "warning";
    case Severity::kNotice:
      break;
  }
  return "notice";
}

std::string Sentence(const Problem& problem, absl::Time now) {
  if (!problem.since) return absl::StrCat(problem.what, ".");
  return absl::StrCat(problem.what, " since ", Clock(*problem.since, now), ".");
}

Html Advice(const Problem& problem) {
  return Element("p",
                 Html(problem.advice) + " OPERATING.md: " + Element("cite", problem.section) + ".");
}

Html Verdict(const Status& status) {
  if (status.problems.empty()) {
    return Element("div", {{"class", "verdict well"}, {"role", "status"}},
                   Element("p", {{"class", "headline"}}, "Serving. Everything is well."));
  }
  const Problem& worst = status.problems.front();
  Html content = Element("p", {{"class", "headline"}}, Sentence(worst, status.now));
  content += Advice(worst);
  if (status.problems.size() > 1) {
    Html others;
    for (const Problem& problem : absl::MakeSpan(status.problems).subspan(1)) {
      others += Element(
          "li", Element("p", Element("strong", Sentence(problem, status.now))) + Advice(problem));
    }
    content += Element("ul", others);
  }
  return Element(
      "div",
      {{"class", absl::StrCat("verdict ", ClassOf(WorstOf(status.problems)))}, {"role", "status"}},
      content);
}

Html Header(const Status& status) {
  const absl::Duration uptime = status.now - status.start;
  const std::string start =
      absl::FormatTime("%Y-%m-%d %H:%M:%S", status.start, absl::UTCTimeZone());
  const Html facts =
      Element("span", absl::StrCat("on ", status.host)) +
      Element("span", absl::StrCat("version ", status.version)) +
      (status.commit.empty() ? Html() : Element("span", absl::StrCat("commit ", status.commit))) +
      Element("span", absl::StrCat("up ", Age(uptime), ", since ", start)) +
      Element("span", absl::StrCat("seen at ", Clock(status.now, status.now), " UTC"));
  return Element("header", Element("h1", "contentd") + Element("p", {{"class", "facts"}}, facts));
}

// --- The cards --------------------------------------------------------------

std::string SpanOf(const std::vector<Sample>& history) {
  if (history.size() < 2) return "The last hour";
  const absl::Duration span = history.back().at - history.front().at;
  if (span > absl::Minutes(59)) return "The last hour";
  return absl::StrCat("The last ", Age(span));
}

Html Charts(const Status& status) {
  const std::vector<Chart> charts = {
      {.title = "Calls per second", .lines = {{"", &Sample::calls_per_second}}, .format = Rate},
      {.title = "Failures per second",
       .lines = {{"", &Sample::failures_per_second}},
       .format = Rate,
       .counts_trouble = true},
      {.title = "Latency",
       .lines = {{"median", &Sample::median_latency}, {"p99", &Sample::slow_latency}},
       .format = Seconds},
      {.title = "Cache hit ratio",
       .lines = {{"", &Sample::hit_ratio}},
       .format = Percent,
       .top = 1},
      {.title = "Queue wait, p99", .lines = {{"", &Sample::queue_wait}}, .format = Seconds},
      {.title = "Database time, p99", .lines = {{"", &Sample::database_time}}, .format = Seconds}};
  Html figures;
  for (const Chart& chart : charts) figures += DrawChart(chart, status.history);
  return Card(
      SpanOf(status.history),
      Element("div", {{"class", "charts"}}, figures) +
          Note("Of unary calls. A failure is the server's: not what a caller asked wrongly, "
               "nor a refusal."));
}

std::string ShortName(const std::string& service) { return service.substr(service.rfind('.') + 1); }

// On a narrow screen GetArticle may become two lines.
Html Breakable(absl::string_view camel_case) {
  Html html;
  while (!camel_case.empty()) {
    const auto end = std::find_if(camel_case.begin() + 1, camel_case.end(), absl::ascii_isupper);
    const auto size = static_cast<size_t>(end - camel_case.begin());
    if (!html.empty()) html += EmptyElement("wbr", {});
    html += camel_case.substr(0, size);
    camel_case.remove_prefix(size);
  }
  return html;
}

Html MethodName(const Method& method) {
  return Element("span", {{"class", "dim minor"}}, ShortName(method.service) + "/") +
         Breakable(method.name);
}

Html Calls(const Status& status) {
  double in_flight = 0;
  Table methods("By method, since the start. Latency: median and 99th percentile.",
                {{"Method"}, {"In flight"}, {"Ended"}, {"Failed"}, {"Median", true}, {"p99"}});
  for (const Method& method : status.methods) {
    in_flight += method.in_flight;
    methods.AddRow(MethodName(method), {{Count(method.in_flight)},
                                        {Count(method.handled)},
                                        {Count(method.failed), method.failed > 0},
                                        {OrDash(method.median_latency, Seconds)},
                                        {OrDash(method.slow_latency, Seconds)}});
  }
  std::vector<Figure> figures = {{"In flight", Count(in_flight)}};
  for (const auto& [feed, count] : status.watchers) {
    figures.push_back({absl::StrCat("Watchers of ", feed), Count(count)});
  }
  for (const auto& [code, count] : status.codes)
    figures.push_back({code, Count(count), IsFailure(code)});
  for (const auto& [reason, count] : status.calls_refused) {
    figures.push_back({absl::StrCat("Refused, ", reason), Count(count)});
  }
  for (const auto& [limit, count] : status.rate_limited) {
    figures.push_back({absl::StrCat("Rate limited, ", limit), Count(count)});
  }
  return Card("Calls", Figures(figures) +
                           (methods.empty() ? Note("Nobody has called yet.") : methods.Draw()));
}

std::string Of(double part, double limit) {
  return absl::StrCat(Count(part), " of ", Count(limit));
}

Html Queues(const Status& status) {
  Table pools(
      "Connections to the database, and what waits for one. Prompt jobs do not wait for the "
      "others, "
      "which may take long or need a locked article. Calls may share a job.",
      {{"Pool"},
       {"Busy"},
       {"Open", true},
       {"Prompt jobs", true},
       {"Other jobs", true},
       {"Calls waiting"},
       {"Refused"},
       {"Wait, p99"}});
  for (const Pool& pool : status.pools) {
    pools.AddRow(pool.name, {{Count(pool.busy)},
                             {Of(pool.open, pool.limit)},
                             {Count(pool.prompt_jobs)},
                             {Count(pool.other_jobs)},
                             {Of(pool.calls, pool.call_limit)},
                             {Count(pool.refused), pool.refused > 0},
                             {OrDash(pool.queue_wait, Seconds)}});
  }
  return Card("Queues", pools.Draw());
}

Html CacheCard(const Cache& cache) {
  const double reads = cache.hits + cache.misses;
  return Card("Cache",
              Figures({{"Hit ratio since the start", reads > 0 ? Percent(cache.hits / reads) : "–"},
                       {"Used", absl::StrCat(Bytes(cache.bytes), " of ", Bytes(cache.limit))},
                       {"Entries", Count(cache.entries)},
                       {"Evicted", Count(cache.evictions)},
                       {"Questions under way", Count(cache.flights)},
                       {"Stale answers", Count(cache.stale_answers), cache.stale_answers > 0}}));
}

absl::string_view MeaningOf(absl::string_view sqlstate_class) {
  return postgres::kErrorClasses[postgres::ErrorClassOf(sqlstate_class)].meaning;
}

Html Standbys(const Database& database) {
  if (database.replication_lags.empty()) {
    return Note(
        "No standby is connected, or the service's role may not see them (GRANT pg_monitor).");
  }
  Table standbys("By application_name.", {{"Standby"}, {"Behind"}});
  for (const auto& [name, lag] : database.replication_lags) standbys.AddRow(name, {{Seconds(lag)}});
  return standbys.Draw();
}

Html Errors(const Database& database) {
  Table errors("By class of SQLSTATE, since the start.", {{"Errors"}, {"Count"}});
  for (const auto& [key, count] : database.errors) {
    if (count > 0) errors.AddRow(Dimmed(key, MeaningOf(key)), {{Count(count)}});
  }
  return errors.empty() ? Note("The database has reported no errors.") : errors.Draw();
}

Html DatabaseCard(const Database& database) {
  const bool answers = database.is_up && !database.breaker_is_open;
  const Html content =
      Figures({{"Answers", answers ? "yes" : "no", !answers},
               {"Breaker", database.breaker_is_open ? "open" : "closed", database.breaker_is_open},
               {"Version", database.version.empty() ? "–" : database.version},
               {"Timeline", database.timeline > 0 ? Count(database.timeline) : "–"},
               {"Clock ahead of ours", OrDash(database.clock_skew, Seconds)},
               {"Job, median", OrDash(database.median_time, Seconds)},
               {"Job, p99", OrDash(database.slow_time, Seconds)},
               {"Notification lag, p99", OrDash(database.notification_lag, Seconds)}});
  return Card("Database and replication",
              content + Element("div", {{"class", "pair"}}, Errors(database) + Standbys(database)));
}

Html Certificates(const Status& status) {
  if (status.certificates.empty()) {
    return Card("Certificates", Note("None: connections are not encrypted."));
  }
  Table table("When clients and the server will no longer accept them.",
              {{"File"}, {"Expires (UTC)", true}, {"In"}});
  for (const auto& [file, not_after] : status.certificates) {
    const bool is_expired = not_after <= status.now;
    table.AddRow(file, {{absl::FormatTime("%Y-%m-%d %H:%M", not_after, absl::UTCTimeZone())},
                        {is_expired ? "expired" : Age(not_after - status.now), is_expired}});
  }
  return Card("Certificates", table.Draw());
}

Html ProcessCard(const Status& status) {
  const Process& process = status.process;
  const double seconds = absl::ToDoubleSeconds(status.now - status.start);
  return Card(
      "Process",
      Figures({{"Resident memory", Bytes(process.resident_bytes)},
               {"Memory is short", process.memory_is_short ? "yes" : "no", process.memory_is_short},
               {"Memory limit", process.memory_limit > 0 ? Bytes(process.memory_limit) : "–"},
               {"Processors used",
                seconds > 0 ? absl::StrCat(Rate(process.cpu_seconds / seconds)) : "–"},
               {"Open files", Of(process.open_files, process.max_files)},
               {"Connections of clients", Count(process.connections)},
               {"Connections refused", Count(process.refused_connections),
                process.refused_connections > 0},
               {"gRPC", status.grpc},
               {"libpq", status.libpq}}));
}

Html Events(const Status& status) {
  if (status.events.empty()) {
    return Card("Warnings and errors", Note("None has been logged since the start."));
  }
  Table table(
      "What was logged since the start, by event, the last one first. The log has each of "
      "them with its circumstances.",
      {{"Event"}, {"Level"}, {"Times"}, {"Last (UTC)"}});
  for (const log::RecentEvent& event : status.events) {
    const bool is_error = event.level == log::Level::kError;
    table.AddRow(Dimmed(event.name, event.kind), {{is_error ? "error" : "warning", is_error},
                                                  {Count(static_cast<double>(event.count))},
                                                  {Clock(event.last, status.now)}});
  }
  return Card("Warnings and errors",
              table.Draw() + Note(Html("What they mean and what to do: OPERATING.md, ") +
                                  Element("cite", "Logs") + "."));
}

Html Head(const Status& status) {
  const absl::string_view state =
      status.problems.empty() ? "well" : ClassOf(WorstOf(status.problems));
  return Element("head",
                 EmptyElement("meta", {{"charset", "utf-8"}}) +
                     Element("title", absl::StrCat(status.host, ": ", state)) +
                     EmptyElement("meta", {{"name", "viewport"},
                                           {"content", "width=device-width, initial-scale=1"}}) +
                     EmptyElement("meta", {{"name", "color-scheme"}, {"content", "light dark"}}) +
                     EmptyElement("meta", {{"http-equiv", "refresh"},
                                           {"content", std::string(kReloadSeconds)}}) +
                     Element("style", Html::Verbatim(Style())));
}

}  // namespace

std::string RenderPage(const Status& status) {
  Html main = Verdict(status);
  if (status.has_server) main += Charts(status);
  main += Events(status);
  if (status.has_server) {
    main += Calls(status) + Queues(status) + CacheCard(status.cache) +
            DatabaseCard(status.database) + Certificates(status);
  }
  main += ProcessCard(status);
  const Html footer =
      Element("footer", Element("p", Html("Reloads every ") + kReloadSeconds +
                                         " s. Times are UTC. The same numbers for machines: " +
                                         Element("a", {{"href", "/metrics"}}, "/metrics") + "."));
  const Html body = Element("body", Header(status) + Element("main", main) + footer);
  return absl::StrCat("<!DOCTYPE html>\n",
                      Element("html", {{"lang", "en"}}, Head(status) + body).markup(), "\n");
}

}  // namespace content::statusz
