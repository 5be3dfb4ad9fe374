#include <csignal>
#include <future>
#include <memory>
#include <set>
#include <thread>

#include "google/protobuf/util/message_differencer.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(StoreTest, KeepsEveryFieldOfAnArticle) {
  v1::Article article = MakeArticle("whole", "# One\n\nfirst text\n\n***\n\nsecond “text”\n");
  auto* author = article.add_authors();
  author->set_display_name("Ana Lima");
  author->set_id("ana");
  author->set_uri("https://example.com/ana");
  article.add_authors()->set_display_name("B \"quoted\" \\ Name");
  *article.mutable_publish_time() = TimeUtil::MicrosecondsToTimestamp(1'700'000'000'123'456);
  article.set_language_code("pt-BR");
  article.set_summary("What it says.");
  article.add_tags("sea");
  article.add_tags("ships, and \"boats\"");
  article.set_source_uri("https://example.com/whole");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);

  const auto published = Publish(article);
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->outcome, v1::PUBLISH_OUTCOME_CREATED);

  v1::Article stored = GetOne("whole");
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stored, published->article));
  EXPECT_EQ(stored.revision(), 1);
  EXPECT_EQ(stored.etag(), "1");
  EXPECT_TRUE(stored.has_update_time());
  stored.clear_revision();
  stored.clear_etag();
  stored.clear_update_time();
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(stored, article))
      << stored.DebugString();
}

TEST_F(StoreTest, BasicViewHasNeitherBodyNorSections) {
  ASSERT_TRUE(Publish(MakeArticle("short", "# Head\n\ntext")).ok());
  const auto articles = Get({"short"}, v1::ARTICLE_VIEW_BASIC);
  ASSERT_TRUE(articles.ok());
  EXPECT_EQ(articles->front()->body(), "");
  EXPECT_EQ(articles->front()->sections_size(), 0);
  EXPECT_EQ(articles->front()->word_count(), 2);
}

TEST_F(StoreTest, AnswersABatchInItsOrder) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  const auto articles = Get({"c", "nothing", "a", "c"});
  ASSERT_TRUE(articles.ok());
  std::vector<std::string> names;
  for (const auto& article : *articles) names.push_back(article ? article->name() : "none");
  EXPECT_THAT(names, ElementsAre("articles/c", "none", "articles/a", "articles/c"));
}

TEST_F(StoreTest, RefusesABatchOfMoreBytesThanAReplyMayHave) {
  const std::string body(kMaxBodyBytes, 'x');
  for (const char* id : {"a", "b", "c", "d"}) ASSERT_TRUE(Publish(MakeArticle(id, body)).ok());
  EXPECT_EQ(ReasonOf(Get({"a", "b", "c", "d"}).status()), "REPLY_TOO_LARGE");
  EXPECT_EQ(ReasonOf(Get({"a", "a", "a", "a"}).status()), "REPLY_TOO_LARGE");
  EXPECT_TRUE(Get({"a", "b"}).ok());
  EXPECT_TRUE(Get({"a", "b", "c", "d"}, v1::ARTICLE_VIEW_BASIC).ok());
}

TEST_F(StoreTest, TakesWordsOfSqlForIds) {
  for (const char* id : {"null", "default", "nan"}) {
    ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    EXPECT_EQ(GetOne(id).title(), absl::StrCat("About ", id));
  }
}

TEST_F(StoreTest, KeepsTimesOfEveryYear) {
  for (const char* time : {"0001-01-01T00:00:00Z", "0033-04-03T15:00:00Z", "0999-12-31T23:59:59Z",
                           "9999-12-31T23:59:59.999999Z"}) {
    v1::Article article = MakeArticle("old");
    ASSERT_TRUE(TimeUtil::FromString(time, article.mutable_publish_time()));
    const auto published = Publish(article);
    ASSERT_TRUE(published.ok()) << published.status();
    EXPECT_EQ(TimeUtil::ToString(published->article.publish_time()), time);
    EXPECT_EQ(Publish(article)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  }
}

TEST_F(StoreTest, PublishingTheSameAgainChangesNothing) {
  ASSERT_TRUE(Publish(MakeArticle("same")).ok());
  const auto again = Publish(MakeArticle("same"));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(GetOne("same").revision(), 1);
}

TEST_F(StoreTest, ReplacingKeepsCommentsPolicyAndPublishTime) {
  v1::Article first = MakeArticle("kept");
  first.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  ASSERT_TRUE(Publish(first).ok());
  const v1::Article before = GetOne("kept");
  ASSERT_TRUE(Create(MakeComment("kept", "hello")).ok());

  const auto replaced = Publish(MakeArticle("kept", "Other text."));
  ASSERT_TRUE(replaced.ok());
  EXPECT_EQ(replaced->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  const v1::Article after = GetOne("kept");
  EXPECT_EQ(after.body(), "Other text.");
  EXPECT_EQ(after.publish_time(), before.publish_time());
  EXPECT_EQ(after.comment_policy(), v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_EQ(after.revision(), 3);
  EXPECT_EQ(after.etag(), "3");
}

TEST_F(StoreTest, NeverReplacesWhatWasNotNamed) {
  const PublishOptions unnamed{.may_replace = false};
  ASSERT_TRUE(Publish(MakeArticle("taken"), unnamed).ok());
  EXPECT_EQ(Publish(MakeArticle("taken"), unnamed)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  const auto refused = Publish(MakeArticle("taken", "Another text."), unnamed);
  EXPECT_EQ(ReasonOf(refused.status()), "ARTICLE_EXISTS");
  EXPECT_EQ(GetOne("taken").body(), "Some text.");
}

TEST_F(StoreTest, ReplacesOnlyTheVersionThatTheEtagNames) {
  ASSERT_TRUE(Publish(MakeArticle("guarded")).ok());
  v1::Article stale = MakeArticle("guarded", "Two.");
  stale.set_etag("7");
  EXPECT_EQ(ReasonOf(Publish(stale).status()), "ETAG_MISMATCH");
  stale.set_etag(GetOne("guarded").etag());
  EXPECT_TRUE(Publish(stale).ok());
  v1::Article absent = MakeArticle("absent");
  absent.set_etag("1");
  EXPECT_EQ(ReasonOf(Publish(absent).status()), "ETAG_MISMATCH");
  EXPECT_FALSE(Exists("absent"));
}

TEST_F(StoreTest, PublishingWhatIsThereSucceedsWithAStaleEtag) {
  ASSERT_TRUE(Publish(MakeArticle("repeated")).ok());
  v1::Article again = MakeArticle("repeated");
  again.set_etag("0");
  EXPECT_EQ(Publish(again)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
}

TEST_F(StoreTest, ValidatingAnArticleOnlyChangesNothing) {
  const PublishOptions validate{.validate_only = true};
  const auto preview = Publish(MakeArticle("draft"), validate);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->outcome, v1::PUBLISH_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(preview->article.comment_policy(), v1::COMMENT_POLICY_OPEN);
  EXPECT_TRUE(preview->article.has_publish_time());
  EXPECT_EQ(preview->article.revision(), 0);
  EXPECT_EQ(preview->article.etag(), "");
  EXPECT_FALSE(Exists("draft"));

  ASSERT_TRUE(Publish(MakeArticle("draft")).ok());
  ASSERT_TRUE(Publish(MakeArticle("draft", "Other text."), validate).ok());
  EXPECT_EQ(GetOne("draft").body(), "Some text.");
  v1::Article stale = MakeArticle("draft", "Other text.");
  stale.set_etag("9");
  EXPECT_EQ(ReasonOf(Publish(stale, validate).status()), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(Publish(MakeArticle("draft", "Other text."),
                             {.may_replace = false, .validate_only = true})
                         .status()),
            "ARTICLE_EXISTS");
}

TEST_F(StoreTest, OnlyANewTextMakesANewEtag) {
  ASSERT_TRUE(Publish(MakeArticle("shown")).ok());
  const v1::Article before = GetOne("shown");
  v1::Article closed = MakeArticle("shown");
  closed.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
  EXPECT_EQ(Publish(closed)->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_EQ(GetOne("shown").comment_policy(), v1::COMMENT_POLICY_CLOSED);
  EXPECT_EQ(GetOne("shown").etag(), before.etag());
  EXPECT_EQ(GetOne("shown").update_time(), before.update_time());
  EXPECT_EQ(GetOne("shown").revision(), 2);
}

TEST_F(StoreTest, ACommentDoesNotChangeTheArticlesEtag) {
  ASSERT_TRUE(Publish(MakeArticle("etag")).ok());
  Add("etag", "hello");
  EXPECT_EQ(GetOne("etag").etag(), "1");
  EXPECT_EQ(GetOne("etag").revision(), 2);
}

TEST_F(StoreTest, ARetractedArticleIsGoneUntilPublishedAgain) {
  ASSERT_TRUE(Publish(MakeArticle("gone")).ok());
  const std::string comment = Add("gone", "hello");
  EXPECT_EQ(*Retract("gone"), 3);
  EXPECT_EQ(*Retract("gone"), 3);
  v1::Article stale = MakeArticle("gone");
  stale.set_etag("0");
  EXPECT_EQ(ReasonOf(Publish(stale).status()), "ETAG_MISMATCH");
  EXPECT_FALSE(Exists("gone"));
  EXPECT_THAT(ListTitles({.page_size = 10}), IsEmpty());
  EXPECT_EQ(ReasonOf(List({.article_id = "gone", .page_size = 1}).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Create(MakeComment("gone", "more")).status()), "ARTICLE_NOT_FOUND");

  const auto back = Publish(MakeArticle("gone"), {.may_replace = false});
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(back->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_EQ(GetOne("gone").comment_count(), 1);
}

TEST_F(StoreTest, RetractingNeedsTheArticleAndTheRightEtag) {
  EXPECT_EQ(ReasonOf(Retract("none").status()), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(Publish(MakeArticle("held")).ok());
  EXPECT_EQ(ReasonOf(Retract("held", "9").status()), "ETAG_MISMATCH");
  EXPECT_EQ(*Retract("held", "1"), 2);
}

TEST_F(StoreTest, AnArticleAppearsAtItsPublishTime) {
  v1::Article future = MakeArticle("future");
  *future.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Publish(future).ok());
  EXPECT_FALSE(Exists("future"));
  EXPECT_THAT(ListTitles({.page_size = 10}), IsEmpty());
  EXPECT_EQ(ReasonOf(Create(MakeComment("future", "early")).status()), "ARTICLE_NOT_FOUND");
  testing::Query(url_, "UPDATE article_state SET publish_time = publish_time - interval '2 hours'");
  EXPECT_TRUE(Exists("future"));
}

TEST_F(StoreTest, ListsArticlesByTimeInPages) {
  for (int day = 1; day <= 7; ++day) {
    v1::Article article = MakeArticle(absl::StrCat("day-", day));
    // Two on each day, to see that pages break ties.
    article.mutable_publish_time()->set_seconds(1'600'000'000 + (day / 2) * 86'400);
    ASSERT_TRUE(Publish(article).ok());
  }
  const std::vector<std::string> newest = ListTitles({.page_size = 2});
  EXPECT_THAT(newest, ElementsAre("About day-7", "About day-6", "About day-5", "About day-4",
                                  "About day-3", "About day-2", "About day-1"));
  const std::vector<std::string> oldest =
      ListTitles({.order = v1::ARTICLE_ORDER_OLDEST, .page_size = 3});
  EXPECT_TRUE(std::equal(newest.rbegin(), newest.rend(), oldest.begin(), oldest.end()));
  EXPECT_THAT(ListTitles({.published_after = absl::FromUnixSeconds(1'600'000'000 + 86'400),
                          .published_before = absl::FromUnixSeconds(1'600'000'000 + 2 * 86'400),
                          .page_size = 10}),
              ElementsAre("About day-3", "About day-2"));
}

TEST_F(StoreTest, ListsArticlesByAuthorAndTag) {
  const auto publish = [this](const std::string& id, const std::string& author_id,
                              const std::string& author_name, const std::string& tag) {
    v1::Article article = MakeArticle(id);
    article.add_authors()->set_display_name(author_name);
    article.mutable_authors(0)->set_id(author_id);
    article.add_tags(tag);
    article.mutable_publish_time()->set_seconds(1'600'000'000);
    EXPECT_TRUE(Publish(article).ok());
  };
  publish("one", "u1", "Ana", "sea");
  publish("two", "u1", "Ana", "land");
  publish("three", "", "Bo", "sea");
  EXPECT_THAT(ListTitles({.author = "u1", .page_size = 1}), ElementsAre("About two", "About one"));
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 1}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Bo", .page_size = 1}), ElementsAre("About three"));
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 1}), ElementsAre("About three", "About one"));
  EXPECT_THAT(ListTitles({.author = "u1", .tag = "sea", .page_size = 1}), ElementsAre("About one"));
  publish("one", "u2", "Cy", "air");
  EXPECT_THAT(ListTitles({.author = "u1", .tag = "sea", .page_size = 1}), IsEmpty());
}

TEST_F(StoreTest, APageOfFullArticlesEndsBeforeTheReplyIsTooLarge) {
  const std::string body(kMaxBodyBytes, 'x');
  for (const char* id : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(Publish(MakeArticle(id, body)).ok());
  ArticleQuery query{.view = v1::ARTICLE_VIEW_FULL, .page_size = 10};
  const auto page = Await<Page<v1::Article>>(
      [&](auto done) { store_->ListArticles({}, query, std::move(done)); });
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->items.size(), 2);
  EXPECT_EQ(ListTitles(query).size(), 5);
}

TEST_F(StoreTest, AddsACommentAndCountsIt) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  NewComment comment = MakeComment("post", "Well said — “truly”. 🙂");
  const auto created = Create(comment);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->name(), CommentName("post", comment.comment_id));
  EXPECT_EQ(created->state(), v1::COMMENT_STATE_VISIBLE);
  EXPECT_EQ(created->article_revision(), 2);
  EXPECT_EQ(created->revision(), 2);

  auto stored = Await<v1::Comment>(
      [&](auto done) { store_->GetComment({}, {"post", comment.comment_id}, 0, std::move(done)); });
  ASSERT_TRUE(stored.ok());
  stored->set_article_revision(2);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*stored, *created))
      << stored->DebugString() << created->DebugString();
  EXPECT_EQ(GetOne("post").comment_count(), 1);
}

TEST_F(StoreTest, ValidatingOnlyAddsNothing) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  NewComment comment = MakeComment("post", "try");
  comment.validate_only = true;
  const auto preview = Create(comment);
  ASSERT_TRUE(preview.ok());
  EXPECT_EQ(preview->name(), "");
  EXPECT_EQ(preview->body(), "try");
  EXPECT_EQ(GetOne("post").revision(), 1);
  comment.article_id = "none";
  EXPECT_EQ(ReasonOf(Create(comment).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(StoreTest, ClosedArticlesRefuseAndPremoderatedOnesHoldBack) {
  v1::Article closed = MakeArticle("closed");
  closed.set_comment_policy(v1::COMMENT_POLICY_CLOSED);
  ASSERT_TRUE(Publish(closed).ok());
  EXPECT_EQ(ReasonOf(Create(MakeComment("closed", "no")).status()), "COMMENTS_CLOSED");

  v1::Article held = MakeArticle("held");
  held.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  ASSERT_TRUE(Publish(held).ok());
  const auto pending = Create(MakeComment("held", "wait"));
  EXPECT_EQ(pending->state(), v1::COMMENT_STATE_PENDING);
  EXPECT_EQ(GetOne("held").comment_count(), 0);
  EXPECT_THAT(ListBodies({.article_id = "held", .page_size = 5}), IsEmpty());
  const auto read = Await<v1::Comment>([&](auto done) {
    store_->GetComment({}, *ParseCommentName(pending->name()), 0,
                       std::move(done));
  });
  EXPECT_EQ(ReasonOf(read.status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Create(MakeComment("held", "re", pending->name())).status()),
            "COMMENT_NOT_FOUND");
}

TEST_F(StoreTest, ARepeatedRequestIdAnswersWithTheFirstComment) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string request_id = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11";
  NewComment first = MakeComment("post", "once");
  first.request = {.id = request_id, .fingerprint = Fingerprint(first)};
  NewComment again = MakeComment("post", "once");
  again.request = {.id = request_id, .fingerprint = Fingerprint(again)};
  NewComment other = MakeComment("post", "different");
  other.request = {.id = request_id, .fingerprint = Fingerprint(other)};

  const auto created = Create(first);
  const auto repeated = Create(again);
  ASSERT_TRUE(created.ok() && repeated.ok());
  EXPECT_EQ(repeated->name(), created->name());
  EXPECT_EQ(ReasonOf(Create(other).status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(GetOne("post").comment_count(), 1);
}

TEST_F(StoreTest, ConcurrentCallsWithOneRequestIdAddOneComment) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  std::vector<std::jthread> callers;
  std::mutex mutex;
  std::set<std::string> names;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      NewComment comment = MakeComment("post", "once");
      comment.request = {.id = "2b6f2a4e-6a0e-4b62-9c0e-0d9d0f3f7a11", .fingerprint = Fingerprint(comment)};
      const std::string name = NameOf(Create(comment));
      const std::lock_guard lock(mutex);
      names.insert(name);
    });
  }
  callers.clear();
  EXPECT_EQ(names.size(), 1);
  EXPECT_EQ(GetOne("post").comment_count(), 1);
}

TEST_F(StoreTest, ConcurrentCommentsGetRevisionsWithoutGapsAndAnExactCount) {
  ASSERT_TRUE(Publish(MakeArticle("hot")).ok());
  std::vector<std::jthread> callers;
  std::mutex mutex;
  std::set<int64_t> revisions;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const auto comment = Create(MakeComment("hot", "hi"));
        const std::lock_guard lock(mutex);
        revisions.insert(comment.ok() ? comment->revision() : -1);
      }
    });
  }
  callers.clear();
  EXPECT_EQ(revisions.size(), 160);
  EXPECT_EQ(*revisions.begin(), 2);
  EXPECT_EQ(*revisions.rbegin(), 161);
  EXPECT_EQ(GetOne("hot").comment_count(), 160);
}

TEST_F(StoreTest, ListsCommentsInEveryOrderInPages) {
  ASSERT_TRUE(Publish(MakeArticle("talk")).ok());
  const std::string a = Add("talk", "a");
  const std::string b = Add("talk", "b");
  const std::string a1 = Add("talk", "a1", a);
  Add("talk", "b1", b);
  Add("talk", "a2", a);
  Add("talk", "a11", a1);
  for (int page_size : {1, 2, 10}) {
    CommentQuery query{.article_id = "talk", .page_size = page_size};
    EXPECT_THAT(ListBodies(query), ElementsAre("a11", "a2", "b1", "a1", "b", "a"));
    query.order = v1::COMMENT_ORDER_OLDEST;
    EXPECT_THAT(ListBodies(query), ElementsAre("a", "b", "a1", "b1", "a2", "a11"));
    query.order = v1::COMMENT_ORDER_THREADED;
    EXPECT_THAT(ListBodies(query), ElementsAre("a", "a1", "a11", "a2", "b", "b1"));
    query.reply_to_id = ParseCommentName(a)->comment_id;
    EXPECT_THAT(ListBodies(query), ElementsAre("a1", "a11", "a2"));
    query.order = v1::COMMENT_ORDER_NEWEST;
    EXPECT_THAT(ListBodies(query), ElementsAre("a2", "a1"));
  }
  const auto page = List({.article_id = "talk", .page_size = 1});
  EXPECT_EQ(page->article_revision, 7);
  EXPECT_EQ(page->comment_count, 6);
}

TEST_F(StoreTest, RepliesKnowTheirDepthAndParentsTheirReplies) {
  ASSERT_TRUE(Publish(MakeArticle("deep")).ok());
  std::string parent;
  for (int depth = 0; depth <= kMaxThreadDepth; ++depth) {
    const auto comment = Create(MakeComment("deep", "x", parent));
    ASSERT_TRUE(comment.ok()) << comment.status();
    EXPECT_EQ(comment->depth(), depth);
    EXPECT_EQ(comment->reply_to(), parent);
    parent = comment->name();
  }
  EXPECT_EQ(ReasonOf(Create(MakeComment("deep", "x", parent)).status()), "THREAD_TOO_DEEP");
  const auto page = List({.article_id = "deep", .page_size = 100});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->page.items.front().reply_count(), 0);
  EXPECT_EQ(page->page.items.back().reply_count(), 1);
}

TEST_F(StoreTest, AReplyNeedsItsParentInTheSameArticle) {
  ASSERT_TRUE(Publish(MakeArticle("here")).ok());
  ASSERT_TRUE(Publish(MakeArticle("there")).ok());
  const std::string elsewhere = Add("there", "hello");
  EXPECT_EQ(ReasonOf(Create(MakeComment("here", "x", elsewhere)).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(List({.article_id = "here",
                           .reply_to_id = ParseCommentName(elsewhere)->comment_id,
                           .page_size = 1})
                         .status()),
            "COMMENT_NOT_FOUND");
  EXPECT_EQ(GetOne("here").revision(), 1);
}

TEST_F(StoreTest, APageOfCommentsEndsBeforeTheReplyIsTooLarge) {
  ASSERT_TRUE(Publish(MakeArticle("long")).ok());
  std::string body;
  for (int i = 0; i < kMaxCommentCharacters; ++i) body += "🙂";
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(Create(MakeComment("long", body)).ok());
  const auto first = List({.article_id = "long", .page_size = 200});
  ASSERT_TRUE(first.ok());
  EXPECT_LT(first->page.items.size(), 80);
  EXPECT_FALSE(first->page.next_key.empty());
  EXPECT_EQ(ListBodies({.article_id = "long", .page_size = 200}).size(), 80);
}

TEST_F(StoreTest, ReadsSayIfARevisionIsNotReachedYet) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto comment = Create(MakeComment("post", "hello"));
  EXPECT_TRUE(List({.article_id = "post", .page_size = 1, .min_revision = 2}).ok());
  EXPECT_EQ(ReasonOf(List({.article_id = "post", .page_size = 1, .min_revision = 3}).status()),
            "REVISION_NOT_REACHED");
  const auto read = Await<v1::Comment>([&](auto done) {
    store_->GetComment({}, *ParseCommentName(comment->name()), 3,
                       std::move(done));
  });
  EXPECT_EQ(ReasonOf(read.status()), "REVISION_NOT_REACHED");
}

TEST_F(StoreTest, DoesNotWorkForCallersWhoAreGone) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const auto create = [this](CallContext context) {
    return Await<v1::Comment>([&](auto done) {
      store_->CreateComment(std::move(context), MakeComment("post", "late"), std::move(done));
    });
  };
  EXPECT_EQ(
      ReasonOf(create({.deadline = absl::Now() - absl::Seconds(1), .cancelled = {}}).status()),
      "DEADLINE_EXCEEDED");
  EXPECT_EQ(ReasonOf(create({.cancelled = [] { return true; }}).status()), "CANCELLED");
  EXPECT_EQ(GetOne("post").comment_count(), 0);
}

TEST_F(StoreTest, AStatementEndsWithItsCallersDeadline) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  // A lock held by somebody else for as long as the test wants.
  std::promise<void> locked;
  std::promise<void> release;
  std::jthread holder([&] {
    testing::Session session(url_);
    session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
    locked.set_value();
    release.get_future().wait();
  });
  locked.get_future().wait();
  const auto answer = Await<v1::Comment>([&](auto done) {
    store_->CreateComment({.deadline = absl::Now() + absl::Milliseconds(200), .cancelled = {}},
                          MakeComment("post", "late"), std::move(done));
  });
  release.set_value();
  EXPECT_EQ(ReasonOf(answer.status()), "DEADLINE_EXCEEDED");
}

TEST_F(StoreTest, AFullQueueRefusesAtOnce) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  std::unique_ptr<Store> narrow =
      *NewPostgresStore({.url = url_, .write_connections = 1, .queue_limit = 1});
  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
  std::mutex mutex;
  std::vector<std::string> reasons;
  std::promise<void> refused;
  for (int i = 0; i < 3; ++i) {  // one runs, or is about to; one waits; one at least is too many
    narrow->CreateComment({}, MakeComment("post", "x"), [&](absl::StatusOr<v1::Comment> answer) {
      const std::lock_guard lock(mutex);
      if (ReasonOf(answer.status()) == "OVERLOADED" && reasons.empty()) refused.set_value();
      reasons.push_back(ReasonOf(answer.status()));
    });
  }
  refused.get_future().wait();
  session.Run("ROLLBACK");
  narrow.reset();
  EXPECT_EQ(reasons.size(), 3);
}

TEST_F(StoreTest, SurvivesTheLossOfItsConnections) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Exists("post"));
  testing::Query(url_,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                 "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(GetOne("post").revision(), 1);
  EXPECT_TRUE(Create(MakeComment("post", "still here")).ok());
}

// Kills the connection of a CreateComment at its commit, where a deferred trigger keeps it waiting
// for a lock that the test holds.
class CommitTest : public StoreTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Publish(MakeArticle("post")).ok());
    testing::Query(url_, R"sql(
      CREATE TABLE gate (id int);
      INSERT INTO gate VALUES (1);
      CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM FROM gate FOR SHARE; RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON comment DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_at_gate())sql");
    gate_.Run("BEGIN; SELECT FROM gate FOR UPDATE");
  }

  std::future<absl::StatusOr<v1::Comment>> CreateUntilCommit(CallContext context) {
    auto answer = std::make_shared<std::promise<absl::StatusOr<v1::Comment>>>();
    store_->CreateComment(
        std::move(context), MakeComment("post", "once"),
        [answer](absl::StatusOr<v1::Comment> comment) { answer->set_value(std::move(comment)); });
    AwaitBackend("wait_event_type = 'Lock' AND query = 'COMMIT'");
    return answer->get_future();
  }

  // Ends the session that waits, once there is one.
  void AwaitBackend(const std::string& condition) {
    const std::string kill =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND " +
        condition;
    while (testing::Query(url_, kill) == "0") std::this_thread::yield();
  }

  testing::Session gate_{url_};
};

TEST_F(CommitTest, AWriteCutOffWhileCommittingIsDoneOnce) {
  auto answer = CreateUntilCommit({});
  gate_.Run("COMMIT");
  const auto comment = answer.get();
  EXPECT_TRUE(comment.ok()) << comment.status();
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  EXPECT_EQ(ListBodies({.article_id = "post", .page_size = 5}).size(), 1);
}

TEST_F(CommitTest, AWriteInDoubtIsNeverSaidNotToBeDone) {
  // The second attempt waits at the gate as well, until the deadline ends it.
  auto answer =
      CreateUntilCommit({.deadline = absl::Now() + absl::Seconds(2), .cancelled = nullptr});
  EXPECT_EQ(ReasonOf(answer.get().status()), "OUTCOME_UNKNOWN");
  gate_.Run("COMMIT");
}

TEST_F(StoreTest, AConnectionLostWhileIdleLeavesNoDoubt) {
  std::unique_ptr<Store> store =
      *NewPostgresStore({.url = url_, .read_connections = 1, .write_connections = 1});
  store_.swap(store);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Create(MakeComment("post", "one")).ok());
  const std::string name = testing::Query(url_, "SELECT current_database()");
  const std::string other = testing::NewDatabase(/*migrated=*/false);
  testing::Query(other, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS false");
  testing::Query(other,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '" +
                     name + "'");
  EXPECT_EQ(ReasonOf(Create(MakeComment("post", "two")).status()), "STORE_UNAVAILABLE");
  testing::Query(other, "ALTER DATABASE " + name + " ALLOW_CONNECTIONS true");
}

TEST_F(StoreTest, ADatabaseThatStopsAnsweringIsCutOff) {
  std::unique_ptr<Store> store = *NewPostgresStore(
      {.url = url_, .read_connections = 1, .statement_timeout = absl::Milliseconds(100)});
  store_.swap(store);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Exists("post"));
  // The reading connection's backend: the last that ran a statement on article.
  const std::string pid = testing::Query(
      url_,
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
      "AND query LIKE '%FROM article_state s JOIN article a%ANY%' AND pid <> pg_backend_pid()");
  ASSERT_NE(pid, "");
  ASSERT_EQ(kill(std::stoi(pid), SIGSTOP), 0);
  EXPECT_TRUE(Exists("post")) << "the connection is cut, and the read done on a new one";
  kill(std::stoi(pid), SIGCONT);
}

TEST_F(StoreTest, AWriteCutOffIsDoneOnce) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  // The connection is killed while the write waits for the lock; its second attempt succeeds.
  testing::Session session(url_);
  session.Run("BEGIN; SELECT FROM article_state FOR UPDATE");
  std::promise<absl::StatusOr<v1::Comment>> answer;
  store_->CreateComment({}, MakeComment("post", "once"), [&](absl::StatusOr<v1::Comment> comment) {
    answer.set_value(std::move(comment));
  });
  const std::string kill =
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
      "WHERE datname = current_database() AND wait_event_type = 'Lock'";
  while (testing::Query(url_, kill) == "0") std::this_thread::yield();
  session.Run("ROLLBACK");
  EXPECT_TRUE(answer.get_future().get().ok());
  EXPECT_EQ(GetOne("post").comment_count(), 1);
  EXPECT_EQ(ListBodies({.article_id = "post", .page_size = 5}).size(), 1);
}

TEST_F(StoreTest, ChecksThatTheDatabaseTakesWrites) {
  const auto check = [this] {
    std::promise<absl::Status> answer;
    store_->Check({}, [&answer](absl::Status status) { answer.set_value(std::move(status)); });
    return answer.get_future().get();
  };
  EXPECT_TRUE(check().ok());
  testing::Query(url_, "ALTER DATABASE " + testing::Query(url_, "SELECT current_database()") +
                           " SET default_transaction_read_only = on");
  store_ = *Open(url_);
  EXPECT_EQ(ReasonOf(check()), "STORE_UNAVAILABLE");
}

TEST(UnreachableStore, IsUnavailable) {
  std::unique_ptr<Store> store =
      *NewPostgresStore({.url = "host=" + testing::ScratchDirectory() + "/nowhere dbname=x"});
  const auto answer = Await<std::vector<std::optional<v1::Article>>>(
      [&](auto done) { store->GetArticles({}, {"post"}, v1::ARTICLE_VIEW_FULL, std::move(done)); });
  EXPECT_EQ(ReasonOf(answer.status()), "STORE_UNAVAILABLE");
  EXPECT_EQ(answer.status().message(), "the database cannot be reached");
}

TEST(UnreachableStore, AUrlThatIsNoneIsRefusedWithoutShowingIt) {
  const auto store = NewPostgresStore({.url = "postgres://user:secret@[::1/x"});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(store.status().message()),
              ::testing::Not(::testing::HasSubstr("secret")));
}

}  // namespace
}  // namespace content::store
