#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// An article with its comments.
struct Exported {
  StoredArticle article;
  std::vector<v1::Comment> comments;
};

class CollectingVisitor : public ExportVisitor {
 public:
  bool Visit(StoredArticle article) override {
    exported.push_back({std::move(article), {}});
    return on_article();
  }
  bool Visit(v1::Comment comment) override {
    exported.back().comments.push_back(std::move(comment));
    return true;
  }

  std::vector<Exported> exported;
  std::function<bool()> on_article = [] { return true; };
};

class ExportTest : public StoreTest {
 protected:
  static absl::Status ExportFrom(Store& store, const ExportQuery& query, ExportVisitor& visitor) {
    return Await<void>(
        [&](Callback<void> done) { store.Export({}, query, visitor, std::move(done)); });
  }

  std::vector<Exported> ExportAll(const ExportQuery& query = {}) {
    CollectingVisitor visitor;
    const absl::Status status = ExportFrom(*store_, query, visitor);
    EXPECT_TRUE(status.ok()) << status;
    return std::move(visitor.exported);
  }

  std::vector<std::string> Names(const ExportQuery& query = {}) {
    std::vector<std::string> names;
    for (const Exported& exported : ExportAll(query)) {
      names.push_back(exported.article.article.name());
    }
    return names;
  }

  static std::vector<std::string> Bodies(const Exported& exported) {
    std::vector<std::string> bodies;
    for (const v1::Comment& comment : exported.comments) bodies.push_back(comment.body());
    return bodies;
  }
};

TEST_F(ExportTest, HasArticlesInEveryState) {
  EXPECT_THAT(Names(), IsEmpty());
  v1::Article scheduled = MakeArticle("scheduled");
  *scheduled.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Publish(MakeArticle("old")).ok());
  ASSERT_TRUE(Rename({.id = "old", .new_id = "new"}).ok());
  ASSERT_TRUE(Publish(scheduled).ok());
  ASSERT_TRUE(Publish(MakeArticle("retracted")).ok());
  ASSERT_TRUE(Retract("retracted").ok());

  const std::vector<Exported> exported = ExportAll();
  ASSERT_THAT(exported, SizeIs(3));
  const StoredArticle& renamed = exported[0].article;
  EXPECT_EQ(renamed.article.SerializeAsString(), GetOne("new").SerializeAsString());
  EXPECT_THAT(renamed.former_names, ElementsAre("old"));
  EXPECT_FALSE(renamed.retracted);
  EXPECT_EQ(exported[1].article.article.name(), "articles/scheduled");
  EXPECT_EQ(exported[1].article.article.publish_time(), scheduled.publish_time());
  EXPECT_FALSE(exported[1].article.retracted);
  EXPECT_EQ(exported[2].article.article.body(), "Some text.");
  EXPECT_TRUE(exported[2].article.retracted);
  EXPECT_LT(renamed.key, exported[1].article.key);
  EXPECT_LT(exported[1].article.key, exported[2].article.key);
}

TEST_F(ExportTest, HasCommentsInEveryState) {
  ASSERT_TRUE(Publish(MakeArticle("silent")).ok());
  ASSERT_TRUE(Publish(MakeArticle("story")).ok());
  const std::string hidden = Add("story", "hidden");
  const std::string reply = Add("story", "reply", hidden);
  const std::string deleted = Add("story", "deleted");
  ASSERT_TRUE(Moderate(hidden, v1::COMMENT_STATE_HIDDEN).ok());
  ASSERT_TRUE(Moderate(reply, v1::COMMENT_STATE_PENDING).ok());
  ASSERT_TRUE(Delete(deleted).ok());

  const std::vector<Exported> exported = ExportAll();
  ASSERT_THAT(exported, SizeIs(2));
  EXPECT_THAT(exported[0].comments, IsEmpty());
  EXPECT_THAT(Bodies(exported[1]), ElementsAre("hidden", "reply", ""));
  for (const v1::Comment& comment : exported[1].comments) {
    EXPECT_EQ(comment.SerializeAsString(), InspectComment(comment.name())->SerializeAsString());
  }
}

TEST_F(ExportTest, ReadsMoreThanOnePageOfArticles) {
  constexpr int kCopies = 1100;
  ASSERT_TRUE(Publish(MakeArticle("one")).ok());
  const std::string copies = absl::StrCat("generate_series(1, ", kCopies, ") AS n");
  // Of the same bucket.
  Sql(absl::StrCat(
      "INSERT INTO article_state (bucket, article_key, name, first_name, revision, comment_count, "
      "comment_policy, publish_time, retracted, scheduled, feed_position, published_position, "
      "ever_readable) SELECT bucket, article_key + 256 * n, 'copy-' || n, 'copy-' || n, 1, 0, 1, "
      "publish_time, false, false, 0, 0, false FROM article_state, ",
      copies));
  Sql(absl::StrCat(
      "INSERT INTO article (bucket, article_key, text_revision, title, authors, sections, tags, "
      "update_time, language_code, summary, body, source_uri, word_count) SELECT bucket, "
      "article_key + 256 * n, 1, title, authors, sections, tags, update_time, language_code, "
      "summary, body, source_uri, word_count FROM article, ",
      copies));
  std::vector<std::string> names = {"articles/one"};
  for (int i = 1; i <= kCopies; ++i) names.push_back(ArticleName(absl::StrCat("copy-", i)));
  EXPECT_EQ(Names(), names);
}

TEST_F(ExportTest, ReadsMoreThanOnePageOfComments) {
  constexpr int kComments = 1100;
  ASSERT_TRUE(Publish(MakeArticle("article-7")).ok());
  CommentImport import{.article_id = "article-7", .source = "test"};
  for (int i = 0; i < kComments; ++i) {
    v1::ImportedComment& comment = import.comments.emplace_back();
    comment.set_source_id(absl::StrCat(i));
    comment.mutable_author()->set_id("user");
    comment.mutable_author()->set_display_name("A Reader");
    comment.set_body(absl::StrCat(i));
    comment.set_state(v1::COMMENT_STATE_VISIBLE);
    comment.mutable_create_time()->set_seconds(1'600'000'000 + i);
    if (import.comments.size() < kMaxImportedComments && i + 1 < kComments) continue;
    ASSERT_TRUE(Await<v1::ImportCommentsResponse>([&](auto done) {
                  store_->ImportComments({}, import, std::move(done));
                }).ok());
    import.comments.clear();
  }
  const std::vector<Exported> exported = ExportAll({.article_id = "article-7"});
  ASSERT_THAT(exported, SizeIs(1));
  ASSERT_THAT(exported[0].comments, SizeIs(kComments));
  for (int i = 0; i < kComments; ++i) {
    EXPECT_EQ(exported[0].comments[static_cast<size_t>(i)].body(), absl::StrCat(i));
  }
}

TEST_F(ExportTest, IsAsOfOneMoment) {
  for (const char* id : {"a", "b"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  const std::string comment = Add("a", "before");
  CollectingVisitor visitor;
  visitor.on_article = [&] {
    if (visitor.exported.size() > 1) return true;
    EXPECT_TRUE(Create(MakeComment("a", "during")).ok());
    EXPECT_TRUE(Delete(comment).ok());
    EXPECT_TRUE(Publish(MakeArticle("c")).ok());
    EXPECT_TRUE(Publish(MakeArticle("b", "Other text.")).ok());
    return true;
  };
  ASSERT_TRUE(ExportFrom(*store_, {}, visitor).ok());
  ASSERT_THAT(visitor.exported, SizeIs(2));
  EXPECT_THAT(Bodies(visitor.exported[0]), ElementsAre("before"));
  EXPECT_EQ(visitor.exported[1].article.article.body(), "Some text.");
}

TEST_F(ExportTest, EndsWhenItsVisitorDoes) {
  for (const char* id : {"a", "b"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  CollectingVisitor visitor;
  visitor.on_article = [] { return false; };
  EXPECT_TRUE(ExportFrom(*store_, {}, visitor).ok());
  EXPECT_THAT(visitor.exported, SizeIs(1));
  EXPECT_THAT(Names(), SizeIs(2)) << "the connection is as good as new";
}

TEST_F(ExportTest, IsNotTriedAgainOnceItHasBegun) {
  for (const char* id : {"a", "b"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  Add("a", "hello");
  CollectingVisitor visitor;
  visitor.on_article = [&] {
    Sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database() "
        "AND state = 'idle in transaction'");
    return true;
  };
  EXPECT_EQ(ExportFrom(*store_, {}, visitor).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(visitor.exported, SizeIs(1));
}

TEST_F(ExportTest, HasTheArticlesThatAreAskedFor) {
  const auto publish = [&](const std::string& id, const std::string& author, const std::string& tag,
                           int64_t time) {
    v1::Article article = MakeArticle(id);
    article.add_authors()->set_display_name(author);
    article.add_tags(tag);
    article.mutable_publish_time()->set_seconds(time);
    ASSERT_TRUE(Publish(article).ok());
  };
  publish("a", "Ada", "sea", 1'000);
  publish("b", "Ada", "land", 2'000);
  publish("c", "Bo", "sea", 3'000);
  ASSERT_TRUE(Retract("b").ok());
  ASSERT_TRUE(Rename({.id = "c", .new_id = "d"}).ok());
  EXPECT_THAT(Names({.author = "Ada"}), ElementsAre("articles/a", "articles/b"));
  EXPECT_THAT(Names({.tag = "sea"}), ElementsAre("articles/a", "articles/d"));
  EXPECT_THAT(Names({.author = "Ada", .tag = "sea"}), ElementsAre("articles/a"));
  EXPECT_THAT(Names({.published_after = absl::FromUnixSeconds(2'000)}),
              ElementsAre("articles/b", "articles/d"));
  EXPECT_THAT(Names({.published_before = absl::FromUnixSeconds(2'000)}), ElementsAre("articles/a"));
  EXPECT_THAT(Names({.tag = "sea", .published_after = absl::FromUnixSeconds(2'000)}),
              ElementsAre("articles/d"));
  EXPECT_THAT(Names({.article_id = "c"}), ElementsAre("articles/d")) << "by a former name";
  CollectingVisitor visitor;
  EXPECT_EQ(ReasonOf(ExportFrom(*store_, {.article_id = "none"}, visitor)), "ARTICLE_NOT_FOUND");
}

// ---- Another database gets the same ----

class RestoreTest : public ExportTest {
 protected:
  static PublishOptions Restored(const StoredArticle& stored) {
    return {.may_replace = false,
            .imported = true,
            .former_names = stored.former_names,
            .restoration = ArticleRestoration{
                .key = stored.key,
                .update_time = absl::FromUnixMicros(
                    TimeUtil::TimestampToMicroseconds(stored.article.update_time())),
                .retracted = stored.retracted}};
  }

  absl::StatusOr<PublishedArticle> PublishElsewhere(v1::Article article,
                                                    const PublishOptions& options) {
    article.clear_etag();
    return Await<PublishedArticle>([&](auto done) {
      other_->PublishArticle({}, std::move(article), options, std::move(done));
    });
  }

  std::vector<Exported> ExportElsewhere() {
    CollectingVisitor visitor;
    EXPECT_TRUE(ExportFrom(*other_, {}, visitor).ok());
    return std::move(visitor.exported);
  }

  static std::string WithoutRevisions(v1::Article article) {
    article.clear_revision();
    article.clear_etag();
    return article.SerializeAsString();
  }

  const std::string other_url_ = testing::NewDatabase();
  const std::unique_ptr<Store> other_ = *Open(other_url_);
};

TEST_F(RestoreTest, ArticlesKeepStatesTimesNamesAndOrder) {
  for (const char* id : {"c", "b", "a", "d"}) {
    v1::Article article = MakeArticle(id);
    article.mutable_publish_time()->set_seconds(1'000);
    ASSERT_TRUE(Publish(article).ok());
  }
  ASSERT_TRUE(Rename({.id = "b", .new_id = "e"}).ok());
  ASSERT_TRUE(Retract("d").ok());
  v1::Article edited = MakeArticle("a", "Other text.");
  ASSERT_TRUE(Publish(edited).ok());
  const std::vector<std::string> titles = ListTitles({.page_size = 2});

  const std::vector<Exported> exported = ExportAll();
  for (auto it = exported.rbegin(); it != exported.rend(); ++it) {
    const auto restored = PublishElsewhere(it->article.article, Restored(it->article));
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(restored->outcome, v1::PUBLISH_OUTCOME_CREATED);
  }
  const std::vector<Exported> again = ExportElsewhere();
  ASSERT_THAT(again, SizeIs(exported.size()));
  for (size_t i = 0; i < exported.size(); ++i) {
    const StoredArticle& expected = exported[i].article;
    const StoredArticle& actual = again[i].article;
    EXPECT_EQ(WithoutRevisions(actual.article), WithoutRevisions(expected.article));
    EXPECT_EQ(actual.key, expected.key);
    EXPECT_EQ(actual.retracted, expected.retracted);
    EXPECT_EQ(actual.former_names, expected.former_names);
    EXPECT_EQ(PublishElsewhere(expected.article, Restored(expected))->outcome,
              v1::PUBLISH_OUTCOME_UNCHANGED);
  }
  store_.reset();
  store_ = *Open(other_url_);
  EXPECT_EQ(ListTitles({.page_size = 2}), titles) << "of one publish_time";
}

TEST_F(RestoreTest, AKeyInUseIsNotTaken) {
  ASSERT_TRUE(Publish(MakeArticle("a")).ok());
  const StoredArticle stored = ExportAll()[0].article;
  PublishOptions options = Restored(stored);
  ASSERT_TRUE(PublishElsewhere(MakeArticle("first"), options).ok());
  options.former_names = {};
  ASSERT_TRUE(PublishElsewhere(MakeArticle("second"), options).ok());
  options.restoration->key = -1;
  ASSERT_TRUE(PublishElsewhere(MakeArticle("third"), options).ok());
  const std::vector<Exported> exported = ExportElsewhere();
  ASSERT_THAT(exported, SizeIs(3));
  EXPECT_EQ(exported[0].article.key, stored.key);
  EXPECT_EQ(exported[0].article.article.name(), "articles/first");
}

TEST_F(RestoreTest, AnArticleThatWasRenamedDoesNotComeTwice) {
  ASSERT_TRUE(Publish(MakeArticle("old")).ok());
  const StoredArticle before = ExportAll()[0].article;
  ASSERT_TRUE(PublishElsewhere(before.article, Restored(before)).ok());
  ASSERT_TRUE(Rename({.id = "old", .new_id = "new"}).ok());
  const StoredArticle after = ExportAll()[0].article;
  const auto restored = PublishElsewhere(after.article, Restored(after));
  EXPECT_EQ(ReasonOf(restored.status()), "ARTICLE_RENAMED");
  EXPECT_EQ(restored.status().message(), "articles/new is here as articles/old; rename that first");
  EXPECT_THAT(ExportElsewhere(), SizeIs(1));
  PublishOptions of_another = Restored(after);
  ++of_another.restoration->key;
  EXPECT_TRUE(PublishElsewhere(after.article, of_another).ok()) << "only its name is the same";
}

TEST_F(RestoreTest, DoesNotRetractOrReplaceWhatIsThere) {
  ASSERT_TRUE(Publish(MakeArticle("a")).ok());
  ASSERT_TRUE(Retract("a").ok());
  const StoredArticle stored = ExportAll()[0].article;
  ASSERT_TRUE(PublishElsewhere(MakeArticle("a"), {}).ok());
  EXPECT_EQ(ReasonOf(PublishElsewhere(stored.article, Restored(stored)).status()),
            "ARTICLE_EXISTS");
  EXPECT_FALSE(ExportElsewhere()[0].article.retracted);
}

}  // namespace
}  // namespace content::store
