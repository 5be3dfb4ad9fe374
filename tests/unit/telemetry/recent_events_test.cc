#include "telemetry/recent_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace content::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Time At(int second) { return absl::UnixEpoch() + absl::Seconds(second); }

std::vector<std::string> Told(const RecentEvents& events) {
  std::vector<std::string> told;
  for (const RecentEvent& event : events.List()) {
    told.push_back(absl::StrCat(event.name, "/", event.kind, " ", event.count, " times, last at ",
                                absl::ToUnixSeconds(event.last)));
  }
  return told;
}

TEST(RecentEventsTest, CountsEachKindApartTheLastOneFirst) {
  RecentEvents events;
  EXPECT_THAT(Told(events), IsEmpty());
  events.Add(Level::kWarning, "database error", At(1));
  events.Add(Level::kWarning, {"database error", "57014"}, At(2));
  events.Add(Level::kError, "internal error", At(3));
  events.Add(Level::kWarning, "database error", At(4));
  EXPECT_THAT(Told(events), ElementsAre("database error/ 2 times, last at 4",
                                        "internal error/ 1 times, last at 3",
                                        "database error/57014 1 times, last at 2"));
}

TEST(RecentEventsTest, TellsLevelsApart) {
  RecentEvents events;
  events.Add(Level::kWarning, "written badly", At(1));
  events.Add(Level::kError, "written badly", At(1));
  EXPECT_THAT(events.List(), SizeIs(2));
}

TEST(RecentEventsTest, ForgetsTheKindThatWasSeenLongestAgo) {
  RecentEvents events;
  events.Add(Level::kWarning, "first", At(0));
  for (int i = 1; i < static_cast<int>(RecentEvents::kMaxKinds); ++i) {
    events.Add(Level::kWarning, {"event", absl::StrCat(i)}, At(i));
  }
  events.Add(Level::kWarning, "first", At(1000));
  events.Add(Level::kWarning, "last", At(1001));
  const std::vector<RecentEvent> list = events.List();
  ASSERT_THAT(list, SizeIs(RecentEvents::kMaxKinds));
  EXPECT_EQ(list[0].name, "last");
  EXPECT_EQ(list[1].name, "first");
  EXPECT_EQ(list.back().kind, "2");  // not 1, which was forgotten
}

}  // namespace
}  // namespace content::log
