#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "store/audit/audit_fixture.h"

namespace content::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ListAuditEventsTest : public AuditTest {
 protected:
  // Two articles and a block, by three callers.
  void Act() {
    ASSERT_EQ(PublishBy("dns:cms", MakeArticle("one")), "");
    ASSERT_EQ(PublishBy("dns:cms", MakeArticle("two")), "");
    ASSERT_EQ(RenameBy("cn:desk", {.id = "one", .new_id = "first"}), "");
    ASSERT_EQ(BlockBy(By("jwt:ana", "ana"), "troll", "spam"), "");
  }
};

TEST_F(ListAuditEventsTest, Filters) {
  Act();
  const std::string published_one = "publish_article, one, r1, created, by dns:cms";
  const std::string published_two = "publish_article, two, r1, created, by dns:cms";
  const std::string renamed = "rename_article, first, was one, r2, by cn:desk";
  const std::string blocked = "block_author, author troll, by jwt:ana, for ana";
  EXPECT_THAT(Texts(), ElementsAre(blocked, renamed, published_two, published_one));
  for (const char* const name : {"one", "first"}) {
    EXPECT_THAT(Texts({.article_id = name}), ElementsAre(renamed, published_one)) << name;
  }
  EXPECT_THAT(Texts({.caller = "dns:cms"}), ElementsAre(published_two, published_one));
  EXPECT_THAT(Texts({.person_id = "ana"}), ElementsAre(blocked));
  EXPECT_THAT(Texts({.author_id = "troll"}), ElementsAre(blocked));
  EXPECT_THAT(Texts({.action = v1::AUDIT_ACTION_RENAME_ARTICLE}), ElementsAre(renamed));
  EXPECT_THAT(Texts({.caller = "dns:cm"}), IsEmpty());
  EXPECT_THAT(Texts({.person_id = "troll"}), IsEmpty());
  EXPECT_THAT(Texts({.author_id = "ana"}), IsEmpty());
}

TEST_F(ListAuditEventsTest, AllFiltersMustMatch) {
  Act();
  const AuditQuery all{.caller = "jwt:ana",
                       .person_id = "ana",
                       .author_id = "troll",
                       .action = v1::AUDIT_ACTION_BLOCK_AUTHOR};
  EXPECT_THAT(Events(all), SizeIs(1));
  std::vector<AuditQuery> others(4, all);
  others[0].caller = "dns:cms";
  others[1].person_id = "ben";
  others[2].author_id = "ana";
  others[3].action = v1::AUDIT_ACTION_UNBLOCK_AUTHOR;
  for (const AuditQuery& other : others) EXPECT_THAT(Events(other), IsEmpty());
  EXPECT_THAT(Texts({.article_id = "one", .caller = "dns:cms"}),
              ElementsAre("publish_article, one, r1, created, by dns:cms"));
  EXPECT_THAT(Events({.article_id = "two", .caller = "cn:desk"}), IsEmpty());
}

// Whatever the index, events come in the order of time, and pages go on where the last one ended.
TEST_F(ListAuditEventsTest, AnyFiltersPageByTime) {
  const absl::Time time = absl::FromUnixSeconds(1'750'000'000);
  for (int i = 0; i < 9; ++i) {
    Insert(1, time + absl::Seconds(i), "dns:cms", "ana", "troll");
    Insert(1, time + absl::Seconds(i), i % 2 == 0 ? "cn:a" : "jwt:z", i % 2 == 0 ? "zoe" : "");
  }
  const auto publishings = v1::AUDIT_ACTION_PUBLISH_ARTICLE;
  for (AuditQuery query :
       std::vector<AuditQuery>{{.caller = "dns:cms"},
                               {.caller = "dns:cms", .action = publishings},
                               {.person_id = "ana"},
                               {.person_id = "ana", .action = publishings},
                               {.caller = "dns:cms", .person_id = "ana"},
                               {.caller = "dns:cms", .person_id = "ana", .action = publishings},
                               {.author_id = "troll"},
                               {.author_id = "troll", .action = publishings}}) {
    query.page_size = 2;
    const auto events = Events(query);
    ASSERT_THAT(events, SizeIs(9));
    for (size_t i = 0; i < events.size(); ++i) {
      EXPECT_EQ(events[i].caller(), "dns:cms");
      EXPECT_EQ(events[i].create_time().seconds(), 1'750'000'008 - static_cast<int64_t>(i));
    }
    query.start_time = time + absl::Seconds(2);
    query.end_time = time + absl::Seconds(5);
    EXPECT_THAT(Events(query), SizeIs(3));
    query.action = v1::AUDIT_ACTION_BLOCK_AUTHOR;
    EXPECT_THAT(Events(query), IsEmpty());
  }
}

TEST_F(ListAuditEventsTest, FiltersByTimeToTheMicrosecond) {
  const absl::Time time = absl::FromUnixMicros(1'750'000'000'123'456);
  const absl::Duration step = absl::Microseconds(1);
  Insert(3, time);
  EXPECT_THAT(Events({.start_time = time, .end_time = time + step}), SizeIs(3));
  EXPECT_THAT(Events({.start_time = time + step}), IsEmpty());
  EXPECT_THAT(Events({.end_time = time}), IsEmpty());
  EXPECT_THAT(Events({.start_time = time - step, .end_time = time}), IsEmpty());
  EXPECT_THAT(Events({.start_time = absl::UnixEpoch(), .end_time = time + absl::Hours(1)}),
              SizeIs(3));
  EXPECT_EQ(Events()[0].create_time().nanos(), 123'456'000);
}

TEST_F(ListAuditEventsTest, PagesAcrossEventsOfOneTime) {
  const absl::Time time = absl::FromUnixSeconds(1'750'000'000);
  Insert(23, time, "dns:cms");
  Insert(5, time + absl::Microseconds(1), "dns:cms");
  Insert(1, time, "cn:other");
  for (const int page_size : {1, 5, 28}) {
    const auto events = Events({.caller = "dns:cms", .page_size = page_size});
    ASSERT_THAT(events, SizeIs(28)) << page_size;
    EXPECT_TRUE(std::is_sorted(events.begin(), events.end(), [](const auto& a, const auto& b) {
      return a.id() > b.id();
    })) << page_size;
    std::set<std::string> ids;
    for (const auto& event : events) ids.insert(event.id());
    EXPECT_THAT(ids, SizeIs(28)) << page_size;
  }
  const auto page = List({.page_size = 29});
  EXPECT_EQ(page->next_key, "") << "no event follows";
}

// What was added meanwhile is newer than the pages to come.
TEST_F(ListAuditEventsTest, LaterEventsDoNotShiftPages) {
  ASSERT_EQ(PublishBy("dns:cms", MakeArticle("one")), "");
  ASSERT_EQ(PublishBy("dns:cms", MakeArticle("two")), "");
  const auto first = List({.page_size = 1});
  ASSERT_EQ(PublishBy("dns:cms", MakeArticle("three")), "");
  const auto second = List({.page_size = 1, .after_key = first->next_key});
  ASSERT_THAT(second->items, SizeIs(1));
  EXPECT_EQ(second->items[0].article(), "articles/one");
}

TEST_F(ListAuditEventsTest, AnArticleThatDoesNotExistIsNotFound) {
  EXPECT_EQ(ReasonOf(List({.article_id = "none", .page_size = 1}).status()), "ARTICLE_NOT_FOUND");
}

}  // namespace
}  // namespace content::store
