#include "http/statusz/page.h"

#include <expat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace content::statusz {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::SizeIs;

struct Node {
  std::string name;
  std::map<std::string, std::string> attributes = {};
  std::string text = {};  // with that of the nodes in it
};

// The elements of a page, in their order.
class Document {
 public:
  // Fails the test if `page` is not well-formed XML.
  explicit Document(const std::string& page) {
    const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
        XML_ParserCreate("UTF-8"), &XML_ParserFree);
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), &Open, &Close);
    XML_SetCharacterDataHandler(parser.get(), &Text);
    const XML_Status status =
        XML_Parse(parser.get(), page.data(), static_cast<int>(page.size()), XML_TRUE);
    EXPECT_EQ(status, XML_STATUS_OK)
        << XML_ErrorString(XML_GetErrorCode(parser.get())) << " in " << page;
  }

  const std::vector<Node>& nodes() const { return nodes_; }

  std::vector<Node> All(const std::string& name) const {
    std::vector<Node> all;
    for (const Node& node : nodes_) {
      if (node.name == name) all.push_back(node);
    }
    return all;
  }

  std::vector<std::string> Texts(const std::string& name) const {
    std::vector<std::string> texts;
    for (const Node& node : All(name)) texts.push_back(node.text);
    return texts;
  }

  // Of the only element with this class.
  std::string TextOfClass(const std::string& name) const {
    std::vector<std::string> texts;
    for (const Node& node : nodes_) {
      const auto value = node.attributes.find("class");
      if (value != node.attributes.end() && value->second == name) texts.push_back(node.text);
    }
    EXPECT_THAT(texts, SizeIs(1));
    return texts.empty() ? "" : texts[0];
  }

 private:
  static void Open(void* data, const char* name, const char** attributes) {
    auto& self = *static_cast<Document*>(data);
    self.open_.push_back(self.nodes_.size());
    self.nodes_.push_back({.name = name});
    for (; *attributes != nullptr; attributes += 2) {
      self.nodes_.back().attributes[attributes[0]] = attributes[1];
    }
  }

  static void Close(void* data, const char* /*name*/) {
    static_cast<Document*>(data)->open_.pop_back();
  }

  static void Text(void* data, const char* text, int size) {
    auto& self = *static_cast<Document*>(data);
    for (const size_t node : self.open_) {
      self.nodes_[node].text.append(text, static_cast<size_t>(size));
    }
  }

  std::vector<Node> nodes_;
  std::vector<size_t> open_;
};

const absl::Time kSeenAt = absl::FromCivil(absl::CivilHour(2026, 11, 29, 14), absl::UTCTimeZone());

// Every card has something to show, and every text is `text`.
Status FullStatus(const std::string& text = "text") {
  Status status{.now = kSeenAt,
                .start = kSeenAt - absl::Hours(30),
                .has_server = true,
                .host = text,
                .version = text,
                .commit = text,
                .grpc = text,
                .libpq = text};
  status.problems = {{.trouble = Trouble::kQueueFull,
                      .severity = Severity::kWarning,
                      .what = text,
                      .advice = text,
                      .section = text,
                      .since = kSeenAt - absl::Minutes(3)},
                     {.trouble = Trouble::kStandbyLags,
                      .severity = Severity::kWarning,
                      .what = text,
                      .advice = text,
                      .section = text}};
  status.methods = {{.service = absl::StrCat("content.v1.", text),
                     .name = text,
                     .in_flight = 2,
                     .handled = 1234567,
                     .failed = 3,
                     .median_latency = 0.0004,
                     .slow_latency = 0.012}};
  status.codes = {{text, 9}};
  status.pools = {{.name = text,
                   .busy = 1,
                   .open = 2,
                   .limit = 4,
                   .calls = 6,
                   .call_limit = 1000,
                   .refused = 5,
                   .queue_wait = 0.1}};
  status.cache = {.bytes = 1 << 20, .limit = 1 << 28, .entries = 4, .hits = 900, .misses = 100};
  status.database = {.is_up = true,
                     .version = text,
                     .timeline = 3,
                     .clock_skew = 0.002,
                     .median_time = 0.001,
                     .slow_time = 0.01,
                     .errors = {{text, 2}},
                     .replication_lags = {{text, 0.25}}};
  status.watchers = {{text, 17}};
  status.rate_limited = {{text, 1}};
  status.calls_refused = {{text, 1}};
  status.certificates = {{text, kSeenAt + absl::Hours(1000)}};
  status.process = {.resident_bytes = 1 << 27, .open_files = 40, .max_files = 1024};
  status.events = {{log::Level::kError, text, text, 7, kSeenAt - absl::Hours(25)}};
  for (int i = 0; i < 100; ++i) {
    Sample sample{.at = SteadyTime() + i * absl::Seconds(5),
                  .calls_per_second = i,
                  .failures_per_second = i % 7 == 0 ? 1 : 0};
    if (i % 10 != 0) sample.median_latency = sample.slow_latency = 0.001 * i;
    status.history.push_back(sample);
  }
  return status;
}

// Of a server that nobody has called.
Status EmptyStatus() { return {.now = kSeenAt, .start = kSeenAt, .has_server = true}; }

TEST(PageTest, IsWellFormed) {
  const Document empty(RenderPage(EmptyStatus()));
  const Document full(RenderPage(FullStatus()));
  EXPECT_THAT(full.Texts("h1"), ElementsAre("contentd"));
  EXPECT_THAT(full.Texts("h2"),
              ElementsAre("The last 8 min 15 s", "Warnings and errors", "Calls", "Queues", "Cache",
                          "Database and replication", "Certificates", "Process"));
}

TEST(PageTest, OfAProcessThatDoesNotServeIsShort) {
  Status status{.now = kSeenAt, .start = kSeenAt};
  status.phase = Phase::kStarting;
  EXPECT_THAT(Document(RenderPage(status)).Texts("h2"),
              ElementsAre("Warnings and errors", "Process"));
}

TEST(PageTest, ShowsWhatItIsGiven) {
  const Document page(RenderPage(FullStatus()));
  EXPECT_THAT(page.Texts("td"),
              IsSupersetOf({"1,234,567", "400 µs", "12 ms", "2 of 4", "6 of 1,000", "250 ms",
                            "41 d 16 h", "7", "2026-11-28 13:00"}));
  EXPECT_THAT(page.Texts("dd"), IsSupersetOf({"90.0 %", "1 MiB of 256 MiB", "3", "17", "128 MiB"}));
  EXPECT_THAT(page.TextOfClass("facts"), HasSubstr("up 1 d 6 h"));
}

TEST(PageTest, WhateverItIsGivenIsText) {
  const std::string evil = "</style></p>\"'><script src=x>&<img onerror=alert(1)>\x01\xFF";
  const Document page(RenderPage(FullStatus(evil)));
  const Document plain(RenderPage(FullStatus()));
  ASSERT_EQ(page.nodes().size(), plain.nodes().size());
  for (size_t i = 0; i < page.nodes().size(); ++i) {
    EXPECT_EQ(page.nodes()[i].name, plain.nodes()[i].name);
  }
  EXPECT_THAT(page.Texts("caption"), Not(Contains(HasSubstr("script"))));
  EXPECT_THAT(page.Texts("th"),
              Contains("</style></p>\"'><script src=x>&<img onerror=alert(1)>\uFFFD\uFFFD"));
}

TEST(PageTest, LoadsNothingAndRunsNothing) {
  const Document page(RenderPage(FullStatus()));
  for (const Node& node : page.nodes()) {
    EXPECT_FALSE(std::set<std::string>({"script", "link", "img", "iframe", "object", "form"})
                     .contains(node.name));
    for (const auto& [key, value] : node.attributes) {
      EXPECT_NE(key, "src");
      EXPECT_NE(key, "style");
      EXPECT_FALSE(absl::StartsWith(key, "on")) << key;
      EXPECT_TRUE(key != "href" || value == "/metrics") << value;
    }
  }
  EXPECT_THAT(page.Texts("style"),
              ElementsAre(AllOf(HasSubstr("prefers-color-scheme: dark"), Not(HasSubstr("url(")),
                                Not(HasSubstr("@import")))));
}

TEST(PageTest, TellsThoseWhoDoNotSeeIt) {
  const Document page(RenderPage(FullStatus()));
  EXPECT_THAT(page.All("table"), SizeIs(page.All("caption").size()));
  EXPECT_THAT(page.Texts("caption"), Not(Contains("")));
  for (const Node& header : page.All("th")) EXPECT_TRUE(header.attributes.contains("scope"));
  EXPECT_THAT(page.All("svg"), SizeIs(6));
  for (const Node& chart : page.All("svg")) {
    EXPECT_EQ(chart.attributes.at("role"), "img");
    EXPECT_THAT(chart.attributes.at("aria-label"), HasSubstr("ow "));
  }
  EXPECT_EQ(page.All("svg")[0].attributes.at("aria-label"),
            "Calls per second. Now 99, at most 99.");
  EXPECT_EQ(page.All("svg")[2].attributes.at("aria-label"),
            "Latency. median: now 99 ms, at most 99 ms. p99: now 99 ms, at most 99 ms.");
  EXPECT_EQ(page.All("svg")[3].attributes.at("aria-label"),
            "Cache hit ratio. Now none, at most none.");
}

TEST(PageTest, ChartsLeaveGapsWhereThereIsNoValue) {
  Status status = EmptyStatus();
  for (int i = 0; i < 5; ++i) {
    status.history.push_back({.at = SteadyTime() + i * absl::Seconds(5), .calls_per_second = i});
  }
  status.history[2].calls_per_second.reset();
  const Document page(RenderPage(status));
  EXPECT_EQ(page.All("path")[0].attributes.at("d"),
            "M0 100L0 100L180 75L180 100ZM540 100L540 25L720 0L720 100Z");
  EXPECT_EQ(page.All("path")[1].attributes.at("d"), "M0 100L180 75M540 25L720 0");
}

TEST(PageTest, ReloadsItself) {
  const Document page(RenderPage(FullStatus()));
  bool reloads = false;
  for (const Node& meta : page.All("meta")) {
    const auto kind = meta.attributes.find("http-equiv");
    if (kind == meta.attributes.end()) continue;
    EXPECT_EQ(kind->second, "refresh");
    EXPECT_EQ(meta.attributes.at("content"), "10");
    reloads = true;
  }
  EXPECT_TRUE(reloads);
}

TEST(PageTest, TheVerdictIsOnTop) {
  Status status = FullStatus();
  status.problems.clear();
  const Document well(RenderPage(status));
  EXPECT_EQ(well.TextOfClass("headline"), "Serving. Everything is well.");
  EXPECT_EQ(well.TextOfClass("verdict well"), "Serving. Everything is well.");
  EXPECT_THAT(well.Texts("title"), ElementsAre("text: well"));

  status.problems = {{.trouble = Trouble::kDatabaseAway,
                      .severity = Severity::kCritical,
                      .what = "Serving stale articles: the database has not answered",
                      .advice = "Wait.",
                      .section = "The database hangs",
                      .since = kSeenAt - absl::Seconds(9)}};
  const Document away(RenderPage(status));
  EXPECT_EQ(away.TextOfClass("headline"),
            "Serving stale articles: the database has not answered since 13:59:51.");
  EXPECT_THAT(away.TextOfClass("verdict critical"),
              HasSubstr("Wait. OPERATING.md: The database hangs."));
  EXPECT_THAT(away.Texts("title"), ElementsAre("text: critical"));
}

TEST(PageTest, TheVerdictHasTheColourOfTheWorstProblem) {
  Status status = FullStatus();
  status.problems = {{.trouble = Trouble::kStopping,
                      .severity = Severity::kNotice,
                      .what = "Stopping",
                      .advice = "Wait.",
                      .section = "Stop",
                      .since = kSeenAt},
                     {.trouble = Trouble::kCertificateExpires,
                      .severity = Severity::kWarning,
                      .what = "Serving, but tls.crt expires in 6 d",
                      .advice = "Renew it.",
                      .section = "Encrypt"}};
  const Document page(RenderPage(status));
  EXPECT_EQ(page.TextOfClass("headline"), "Stopping since 14:00:00.");
  EXPECT_THAT(page.TextOfClass("verdict warning"),
              HasSubstr("Serving, but tls.crt expires in 6 d.Renew it."));
  EXPECT_THAT(page.Texts("li"), SizeIs(1));
}

}  // namespace
}  // namespace content::statusz
