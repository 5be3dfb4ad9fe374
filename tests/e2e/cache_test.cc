// Reads that the real binary answers from memory, over real gRPC.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "support/contentd.h"
#include "support/database.h"
#include "support/grpc_client.h"

namespace content::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Stub = v1::ContentService::Stub;
using Admin = v1::AdminService::Stub;

constexpr char kStaleAge[] = "content-stale-seconds";
constexpr absl::Duration kTimeout = absl::Seconds(30);

// An answer, and the age that its trailing metadata gives; empty if there is none.
template <class Response>
struct Answer {
  grpc::Status status;
  Response response;
  std::string stale_age;
};

template <class Request, class Response>
Answer<Response> Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const Client& client, const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  Answer<Response> answer;
  answer.status = (client.content().*method)(&context, request, &answer.response);
  const auto& metadata = context.GetServerTrailingMetadata();
  if (const auto age = metadata.find(kStaleAge); age != metadata.end()) {
    answer.stale_age = std::string(age->second.data(), age->second.size());
  }
  return answer;
}

Answer<v1::GetArticleResponse> Get(const Client& client, const std::string& id,
                                   v1::ArticleView view = v1::ARTICLE_VIEW_FULL,
                                   int64_t min_revision = 0) {
  v1::GetArticleRequest request;
  request.set_name("articles/" + id);
  request.set_view(view);
  request.set_min_revision(min_revision);
  return Ask(&Stub::GetArticle, client, request);
}

Answer<v1::ListCommentsResponse> List(const Client& client, const std::string& id,
                                      int page_size = 0, const std::string& token = "") {
  v1::ListCommentsRequest request;
  request.set_parent("articles/" + id);
  request.set_page_size(page_size);
  request.set_page_token(token);
  return Ask(&Stub::ListComments, client, request);
}

Answer<v1::GetArticlePageResponse> GetPage(const Client& client, const std::string& id,
                                           v1::ArticleView view = v1::ARTICLE_VIEW_FULL) {
  v1::GetArticlePageRequest request;
  request.set_name("articles/" + id);
  request.set_view(view);
  return Ask(&Stub::GetArticlePage, client, request);
}

v1::CacheInfo Info(const Client& client) {
  v1::GetServerInfoResponse info;
  EXPECT_TRUE(
      Client::Call(&Admin::GetServerInfo, client.admin(), v1::GetServerInfoRequest(), info).ok());
  return info.cache();
}

v1::Comment Create(const Client& client, const std::string& id, const std::string& body) {
  v1::CreateCommentResponse response;
  EXPECT_TRUE(client.Create(MakeCommentRequest(id, body), &response).ok());
  return response.comment();
}

std::vector<std::string> Bodies(const v1::ListCommentsResponse& response) {
  std::vector<std::string> bodies;
  for (const v1::Comment& comment : response.comments()) bodies.push_back(comment.body());
  return bodies;
}

// Asks until `condition` returns true. False if that takes too long.
template <class Condition>
bool Eventually(Condition condition) {
  for (const absl::Time end = absl::Now() + kTimeout; absl::Now() < end;) {
    if (condition()) return true;
  }
  return false;
}

class CacheTest : public ::testing::Test {
 protected:
  static std::vector<std::string> Arguments(const std::string& url,
                                            const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"--database-url", url};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  const std::string url_ = NewDatabase();
};

// Entries stay fresh for an hour, so a read that shows a change does so because of a notice.
class LastingCacheTest : public CacheTest {
 protected:
  void SetUp() override {
    AwaitServing(client_);
    ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
  }

  ContentdServer server_{Arguments(url_, {"--max-staleness", "1h"})};
  Client client_{server_.address()};
};

TEST_F(LastingCacheTest, SecondReadDoesNotAskTheDatabase) {
  const int64_t misses = Info(client_).miss_count();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Get(client_, "story").status.ok());
  EXPECT_EQ(Info(client_).miss_count(), misses + 1);
  EXPECT_GE(Info(client_).hit_count(), 4);
  EXPECT_EQ(Info(client_).article_count(), 1);
  EXPECT_GT(Info(client_).byte_count(), 0);
  EXPECT_EQ(Info(client_).byte_limit(), 256 << 20);
}

TEST_F(LastingCacheTest, ArticleFromMemoryIsCompleteInBothViews) {
  v1::Article article = MakeArticle("whole");
  article.set_summary("Süß und bitter.");
  article.set_body("# One\n\nFirst.\n\n***\n\nSecond: 漢字 🎈.");
  article.add_authors()->set_display_name("Ann");
  article.add_authors()->set_display_name("Bob \"Quote\" O'Neil\\");
  article.mutable_authors(1)->set_id("bob");
  article.mutable_authors(1)->set_uri("https://example.org/bob");
  article.add_tags("a tag, with a comma");
  article.set_language_code("de");
  article.set_source_uri("https://example.org/whole");
  article.set_comment_policy(v1::COMMENT_POLICY_OPEN);
  v1::PublishArticleResponse published;
  ASSERT_TRUE(client_.Publish(article, &published).ok());
  v1::Article basic = published.article();
  basic.clear_body();
  basic.clear_sections();
  for (int i = 0; i < 2; ++i) {  // from the database, then from memory
    EXPECT_EQ(Get(client_, "whole").response.article().DebugString(),
              published.article().DebugString());
    EXPECT_EQ(Get(client_, "whole", v1::ARTICLE_VIEW_BASIC).response.article().DebugString(),
              basic.DebugString());
    EXPECT_EQ(GetPage(client_, "whole").response.article().DebugString(),
              published.article().DebugString());
    EXPECT_EQ(GetPage(client_, "whole", v1::ARTICLE_VIEW_BASIC).response.article().DebugString(),
              basic.DebugString());
  }
}

TEST_F(LastingCacheTest, OwnWritesAreVisibleAtOnce) {
  for (int i = 1; i <= 50; ++i) {
    const std::string body = absl::StrCat("comment ", i);
    const v1::Comment comment = Create(client_, "story", body);
    const v1::Article article = Get(client_, "story").response.article();
    EXPECT_EQ(article.comment_count(), i);
    EXPECT_EQ(article.revision(), comment.article_revision());
    EXPECT_EQ(List(client_, "story").response.comments(0).body(), body);
    EXPECT_EQ(List(client_, "story").response.article_revision(), comment.article_revision());
    const v1::GetArticlePageResponse page = GetPage(client_, "story").response;
    EXPECT_EQ(page.article().comment_count(), i);
    EXPECT_EQ(page.comments(0).body(), body);
  }
  v1::Article changed = MakeArticle("story");
  changed.set_body("Other text.");
  ASSERT_TRUE(client_.Publish(changed).ok());
  EXPECT_EQ(Get(client_, "story").response.article().body(), "Other text.");
  EXPECT_EQ(GetPage(client_, "story").response.article().body(), "Other text.");

  v1::RetractArticleRequest retract;
  retract.set_name("articles/story");
  v1::RetractArticleResponse retracted;
  ASSERT_TRUE(Client::Call(&Admin::RetractArticle, client_.admin(), retract, retracted).ok());
  EXPECT_EQ(ReasonOf(Get(client_, "story").status), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(List(client_, "story").status), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(GetPage(client_, "story").status), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(client_.Publish(changed).ok());
  EXPECT_EQ(Get(client_, "story").response.article().comment_count(), 50);
}

TEST_F(LastingCacheTest, MissingArticleIsFoundOnceItIsPublishedOrRenamed) {
  EXPECT_EQ(ReasonOf(Get(client_, "new").status), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(client_.Publish(MakeArticle("new")).ok());
  EXPECT_TRUE(Get(client_, "new").status.ok());

  EXPECT_EQ(ReasonOf(Get(client_, "newer").status), "ARTICLE_NOT_FOUND");
  v1::RenameArticleRequest rename;
  rename.set_name("articles/new");
  rename.set_new_name("articles/newer");
  v1::RenameArticleResponse renamed;
  ASSERT_TRUE(Client::Call(&Admin::RenameArticle, client_.admin(), rename, renamed).ok());
  EXPECT_EQ(Get(client_, "newer").response.article().name(), "articles/newer");
  EXPECT_EQ(Get(client_, "new").response.article().name(), "articles/newer");
}

TEST_F(LastingCacheTest, ArticleHasOneRevisionUnderAllItsNames) {
  v1::RenameArticleRequest rename;
  rename.set_name("articles/story");
  rename.set_new_name("articles/tale");
  v1::RenameArticleResponse renamed;
  ASSERT_TRUE(Client::Call(&Admin::RenameArticle, client_.admin(), rename, renamed).ok());
  for (const char* name : {"tale", "story", "tale", "story"}) {
    const v1::Comment comment = Create(client_, name, "a comment");
    for (const char* other : {"story", "tale"}) {
      EXPECT_EQ(Get(client_, other).response.article().revision(), comment.article_revision());
      EXPECT_EQ(List(client_, other).response.article_revision(), comment.article_revision());
      EXPECT_EQ(GetPage(client_, other).response.article().revision(), comment.article_revision());
    }
  }
}

TEST_F(LastingCacheTest, PageTokenFromMemoryLeadsToTheNextPage) {
  for (int i = 1; i <= 5; ++i) Create(client_, "story", absl::StrCat(i));
  for (int i = 0; i < 2; ++i) {
    const v1::ListCommentsResponse first = List(client_, "story", 2).response;
    EXPECT_THAT(Bodies(first), ElementsAre("5", "4"));
    EXPECT_THAT(Bodies(List(client_, "story", 3).response), ElementsAre("5", "4", "3"));
    const auto next = List(client_, "story", 2, first.next_page_token());
    EXPECT_THAT(Bodies(next.response), ElementsAre("3", "2"));
  }
}

TEST_F(LastingCacheTest, BatchIsInTheOrderOfItsRequest) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(client_.Publish(MakeArticle(id)).ok());
  v1::BatchGetArticlesRequest request;
  for (const char* id : {"c", "none", "a", "c", "b"}) {
    request.add_names(absl::StrCat("articles/", id));
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ReasonOf(Ask(&Stub::BatchGetArticles, client_, request).status), "ARTICLE_NOT_FOUND");
  }
  request.set_allow_missing(true);
  const auto batch = Ask(&Stub::BatchGetArticles, client_, request).response;
  std::vector<std::string> names;
  for (const v1::Article& article : batch.articles()) names.push_back(article.name());
  EXPECT_THAT(names, ElementsAre("articles/c", "articles/a", "articles/c", "articles/b"));
  EXPECT_THAT(batch.missing_names(), ElementsAre("articles/none"));
}

TEST_F(LastingCacheTest, MinRevisionAboveWhatIsKnownAsksTheDatabase) {
  EXPECT_TRUE(Get(client_, "story").status.ok());
  // Written directly to the database, so no notice is sent.
  Query(url_, "UPDATE article_state SET revision = 7, comment_count = 3");
  EXPECT_EQ(Get(client_, "story").response.article().revision(), 1);
  EXPECT_EQ(Get(client_, "story", v1::ARTICLE_VIEW_FULL, 7).response.article().revision(), 7);
  EXPECT_EQ(Get(client_, "story").response.article().comment_count(), 3);
  EXPECT_EQ(ReasonOf(Get(client_, "story", v1::ARTICLE_VIEW_FULL, 8).status),
            "REVISION_NOT_REACHED");
}

// Watches and reads that do not use the cache may be ahead of reads that do. A caller that passes
// the revision seen there as min_revision gets at least that revision from every read.
class AheadOfMemoryTest : public CacheTest {
 protected:
  void SetUp() override {
    AwaitServing(writing_);
    AwaitServing(reading_);
    ASSERT_TRUE(writing_.Publish(MakeArticle("story")).ok());
    comment_ = Create(writing_, "story", "first");
    ReadAll(0);
    EXPECT_EQ(ReadAll(0), std::vector<int64_t>(4, comment_.article_revision()));
    comment_ = Create(writing_, "story", "second");
    EXPECT_EQ(ReadAll(0), std::vector<int64_t>(4, comment_.article_revision() - 1));
  }

  // Revisions that GetArticle (FULL, BASIC), ListComments and GetArticlePage show.
  std::vector<int64_t> ReadAll(int64_t min_revision) const {
    v1::ListCommentsRequest list;
    list.set_parent("articles/story");
    list.set_min_revision(min_revision);
    v1::GetArticlePageRequest page;
    page.set_name("articles/story");
    page.set_min_revision(min_revision);
    const auto revision = [&](v1::ArticleView view) {
      return Get(reading_, "story", view, min_revision).response.article().revision();
    };
    return {revision(v1::ARTICLE_VIEW_FULL), revision(v1::ARTICLE_VIEW_BASIC),
            Ask(&Stub::ListComments, reading_, list).response.article_revision(),
            Ask(&Stub::GetArticlePage, reading_, page).response.article().revision()};
  }

  void ExpectAllFollow(int64_t revision) const {
    EXPECT_EQ(revision, comment_.article_revision());
    EXPECT_EQ(ReadAll(revision), std::vector<int64_t>(4, revision));
  }

  // The reading server gets no notices of writes through the other one.
  ContentdServer writer_{Arguments(url_, {"--notifications=false"})};
  ContentdServer reader_{Arguments(url_, {"--notifications=false", "--max-staleness", "1h"})};
  Client writing_{writer_.address()};
  Client reading_{reader_.address()};
  v1::Comment comment_;
};

TEST_F(AheadOfMemoryTest, ReadsFollowTheRevisionOfACommentThatWasFound) {
  v1::GetCommentRequest request;
  request.set_name(comment_.name());
  EXPECT_EQ(Ask(&Stub::GetComment, reading_, request).response.comment().body(), "second");
  ExpectAllFollow(comment_.article_revision());
}

TEST_F(AheadOfMemoryTest, ReadsFollowAListOfArticles) {
  const auto list = Ask(&Stub::ListArticles, reading_, v1::ListArticlesRequest()).response;
  ASSERT_EQ(list.articles_size(), 1);
  ExpectAllFollow(list.articles(0).revision());
}

TEST_F(AheadOfMemoryTest, ReadsFollowAThread) {
  v1::ListCommentsRequest request;
  request.set_parent("articles/story");
  request.set_reply_to(comment_.name());
  ExpectAllFollow(Ask(&Stub::ListComments, reading_, request).response.article_revision());
}

TEST_F(AheadOfMemoryTest, ReadsFollowAWatchOfComments) {
  v1::WatchCommentsRequest request;
  request.set_parent("articles/story");
  request.set_after_revision(comment_.article_revision() - 1);
  Stream<v1::WatchCommentsResponse> watch(&Stub::WatchComments, reading_.content(), request);
  const auto message = watch.Read();
  ASSERT_TRUE(message);
  ExpectAllFollow(message->article_revision());
}

TEST_F(AheadOfMemoryTest, ReadsFollowAWatchOfArticles) {
  Stream<v1::WatchArticlesResponse> watch(&Stub::WatchArticles, reading_.content(), {});
  const auto message = watch.Read();
  ASSERT_TRUE(message);
  ExpectAllFollow(message->article().revision());
}

TEST_F(CacheTest, WritesThroughAnotherServerAreVisibleSoon) {
  for (const char* notifications : {"true", "false"}) {
    const std::string flag = absl::StrCat("--notifications=", notifications);
    // Notices make writes visible; without them, max_staleness does.
    const char* const promise = flag == "--notifications=true" ? "1h" : "100ms";
    ContentdServer writer(Arguments(url_, {flag}));
    ContentdServer reader(Arguments(url_, {flag, "--max-staleness", promise}));
    const Client writing(writer.address());
    const Client reading(reader.address());
    AwaitServing(writing);
    AwaitServing(reading);
    const std::string id = absl::StrCat("story-", notifications);
    ASSERT_TRUE(writing.Publish(MakeArticle(id)).ok());
    ASSERT_TRUE(Eventually([&] { return Get(reading, id).status.ok(); }));
    Create(writing, id, "hello");
    EXPECT_TRUE(
        Eventually([&] { return Get(reading, id).response.article().comment_count() == 1; }));
    EXPECT_TRUE(Eventually([&] { return List(reading, id).response.comments_size() == 1; }));
    v1::Article changed = MakeArticle(id);
    changed.set_title("Another title");
    ASSERT_TRUE(writing.Publish(changed).ok());
    EXPECT_TRUE(
        Eventually([&] { return Get(reading, id).response.article().title() == "Another title"; }));
  }
}

class ShortCacheTest : public CacheTest {
 protected:
  void SetUp() override {
    AwaitServing(client_);
    ASSERT_TRUE(client_.Publish(MakeArticle("story")).ok());
    Create(client_, "story", "hello");
    EXPECT_TRUE(Get(client_, "story").status.ok());
    EXPECT_TRUE(List(client_, "story").status.ok());
    EXPECT_TRUE(GetPage(client_, "story").status.ok());
  }

  ContentdServer server_{Arguments(url_, {"--max-staleness", "50ms"})};
  Client client_{server_.address()};
};

TEST_F(ShortCacheTest, ServesStaleAnswersWithTheirAgeWithoutItsDatabase) {
  {
    const Outage outage(url_);
    EXPECT_TRUE(Eventually([&] { return !Get(client_, "story").stale_age.empty(); }));
    const auto article = Get(client_, "story");
    EXPECT_TRUE(article.status.ok());
    EXPECT_EQ(article.response.article().body(), "Some text.");
    EXPECT_EQ(article.response.article().comment_count(), 1);
    const auto comments = List(client_, "story");
    EXPECT_THAT(Bodies(comments.response), ElementsAre("hello"));
    EXPECT_FALSE(comments.stale_age.empty());
    const auto page = GetPage(client_, "story");
    EXPECT_EQ(page.response.comments_size(), 1);
    EXPECT_FALSE(page.stale_age.empty());
    v1::BatchGetArticlesRequest batch;
    batch.add_names("articles/story");
    EXPECT_FALSE(Ask(&Stub::BatchGetArticles, client_, batch).stale_age.empty());
    EXPECT_GE(Info(client_).stale_count(), 4);

    EXPECT_EQ(ReasonOf(Get(client_, "never-read").status), "STORE_UNAVAILABLE");
    EXPECT_EQ(ReasonOf(Get(client_, "story", v1::ARTICLE_VIEW_FULL, 99).status),
              "STORE_UNAVAILABLE");
  }
  EXPECT_TRUE(Eventually([&] {
    const auto article = Get(client_, "story");
    return article.status.ok() && article.stale_age.empty();
  }));
  EXPECT_THAT(List(client_, "story").stale_age, IsEmpty());
}

TEST_F(ShortCacheTest, HungDatabaseDoesNotHoldUpReadsFromMemory) {
  Session session(url_);
  session.Run("BEGIN; LOCK TABLE article_state");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Eventually([&] { return !Get(client_, "story").stale_age.empty(); }));
  }
  session.Run("COMMIT");
  EXPECT_TRUE(Eventually([&] {
    const auto article = Get(client_, "story");
    return article.status.ok() && article.stale_age.empty();
  }));
}

TEST_F(CacheTest, StopsServingStaleAnswersInTime) {
  ContentdServer server(Arguments(url_, {"--max-staleness", "50ms", "--stale-if-error", "1s"}));
  const Client client(server.address());
  AwaitServing(client);
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  ASSERT_TRUE(Get(client, "story").status.ok());
  const Outage outage(url_);
  EXPECT_TRUE(Eventually([&] { return !Get(client, "story").stale_age.empty(); }));
  EXPECT_TRUE(Eventually([&] { return !Get(client, "story").status.ok(); }));
  EXPECT_EQ(ReasonOf(Get(client, "story").status), "STORE_UNAVAILABLE");
}

TEST_F(CacheTest, WithoutMemoryEveryReadAsksTheDatabase) {
  ContentdServer server(Arguments(url_, {"--cache-bytes", "0"}));
  const Client client(server.address());
  AwaitServing(client);
  ASSERT_TRUE(client.Publish(MakeArticle("story")).ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Get(client, "story").status.ok());
  EXPECT_EQ(Info(client).hit_count(), 0);
  EXPECT_EQ(Info(client).miss_count(), 3);
  EXPECT_EQ(Info(client).article_count(), 0);
}

}  // namespace
}  // namespace content::testing
