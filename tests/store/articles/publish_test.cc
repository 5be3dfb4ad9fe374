#include <atomic>
#include <memory>
#include <thread>

#include "absl/strings/str_split.h"
#include "content/text.h"
#include "google/protobuf/util/field_mask_util.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PublishingTest : public StoreTest {};

TEST_F(PublishingTest, PublishingTheSameAgainChangesNothing) {
  ASSERT_TRUE(Publish(MakeArticle("same")).ok());
  const auto again = Publish(MakeArticle("same"));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(GetOne("same").revision(), 1);
}

TEST_F(PublishingTest, ReplacingKeepsCommentsPolicyAndPublishTime) {
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

TEST_F(PublishingTest, NeverReplacesWhatWasNotNamed) {
  const PublishOptions unnamed{.may_replace = false};
  ASSERT_TRUE(Publish(MakeArticle("taken"), unnamed).ok());
  EXPECT_EQ(Publish(MakeArticle("taken"), unnamed)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  const auto refused = Publish(MakeArticle("taken", "Another text."), unnamed);
  EXPECT_EQ(ReasonOf(refused.status()), "ARTICLE_EXISTS");
  EXPECT_EQ(GetOne("taken").body(), "Some text.");
}

TEST_F(PublishingTest, ReplacesOnlyTheVersionThatTheEtagNames) {
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

TEST_F(PublishingTest, PublishingWhatIsThereSucceedsWithAStaleEtag) {
  ASSERT_TRUE(Publish(MakeArticle("repeated")).ok());
  v1::Article again = MakeArticle("repeated");
  again.set_etag("0");
  EXPECT_EQ(Publish(again)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
}

TEST_F(PublishingTest, ValidatingAnArticleOnlyChangesNothing) {
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

TEST_F(PublishingTest, OnlyANewTextMakesANewEtag) {
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

TEST_F(PublishingTest, ACommentDoesNotChangeTheArticlesEtag) {
  ASSERT_TRUE(Publish(MakeArticle("etag")).ok());
  Add("etag", "hello");
  EXPECT_EQ(GetOne("etag").etag(), "1");
  EXPECT_EQ(GetOne("etag").revision(), 2);
}

TEST_F(PublishingTest, ARetractedArticleIsGoneUntilPublishedAgain) {
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

TEST_F(PublishingTest, RetractingNeedsTheArticleAndTheRightEtag) {
  EXPECT_EQ(ReasonOf(Retract("none").status()), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(Publish(MakeArticle("held")).ok());
  EXPECT_EQ(ReasonOf(Retract("held", "9").status()), "ETAG_MISMATCH");
  EXPECT_EQ(*Retract("held", "1"), 2);
}

// ---- Updating ----

// An article of which every field that a publisher sets differs from MakeArticle's.
v1::Article MakeOther() {
  v1::Article article;
  article.set_title("Another title");
  article.add_authors()->set_display_name("Ana");
  article.mutable_publish_time()->set_seconds(1'600'000'000);
  article.set_language_code("pt-BR");
  article.set_summary("A summary.");
  article.set_body("# One\n\nOther words.\n\n# Two\n\nMore.");
  article.add_tags("sea");
  article.set_source_uri("https://example.com/");
  article.set_comment_policy(v1::COMMENT_POLICY_PREMODERATED);
  return article;
}

// The field as text.
std::string Field(const v1::Article& article, const std::string& name) {
  const auto* const field = article.GetDescriptor()->FindFieldByName(name);
  v1::Article only;
  google::protobuf::FieldMask mask;
  mask.add_paths(name);
  google::protobuf::util::FieldMaskUtil::MergeMessageTo(article, mask, {}, &only);
  return absl::StrCat(field->name(), ": ", only.ShortDebugString());
}

TEST_F(PublishingTest, AnUpdateChangesTheFieldsThatItNames) {
  const std::vector<std::string>& fields = ChangeableArticleFields();
  for (const std::string& changed : fields) {
    SCOPED_TRACE(changed);
    const std::string id = absl::StrCat(Slug(changed), "-article");
    ASSERT_TRUE(Publish(MakeArticle(id)).ok());
    const v1::Article before = GetOne(id);
    const auto updated = Edit({.id = id, .article = MakeOther(), .paths = {changed}});
    ASSERT_TRUE(updated.ok()) << updated.status();
    const v1::Article after = GetOne(id);
    EXPECT_EQ(after.SerializeAsString(), updated->SerializeAsString());
    for (const std::string& field : fields) {
      EXPECT_EQ(Field(after, field), Field(field == changed ? MakeOther() : before, field));
    }
    EXPECT_EQ(after.name(), before.name());
    EXPECT_EQ(after.revision(), 2);
    EXPECT_EQ(after.sections_size(), changed == "body" ? 2 : 1);
    EXPECT_EQ(after.word_count(), changed == "body" ? 5 : 2);
    const bool is_text = changed != "publish_time" && changed != "comment_policy";
    EXPECT_EQ(after.etag(), is_text ? "2" : "1");
    EXPECT_EQ(after.update_time() != before.update_time(), is_text);
  }
}

TEST_F(PublishingTest, AnUpdateOfEverythingClearsWhatIsUnset) {
  v1::Article full = MakeOther();
  full.set_name("articles/full");
  ASSERT_TRUE(CompleteArticle("article", full).ok());
  ASSERT_TRUE(Publish(full).ok());
  v1::Article least;
  least.set_title("Least");
  least.set_body("Text.");
  const auto updated = Edit({.id = "full", .article = least, .paths = ChangeableArticleFields()});
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->title(), "Least");
  EXPECT_EQ(updated->authors_size(), 0);
  EXPECT_EQ(updated->tags_size(), 0);
  EXPECT_EQ(updated->language_code(), "");
  EXPECT_EQ(updated->summary(), "");
  EXPECT_EQ(updated->source_uri(), "");
  EXPECT_EQ(updated->publish_time(), full.publish_time()) << "there is always one";
  EXPECT_EQ(updated->comment_policy(), full.comment_policy()) << "there is always one";
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 9}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 9}), IsEmpty());
}

TEST_F(PublishingTest, AnUpdateThatWouldBreakTheRulesNamesTheField) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  v1::Article bad;
  bad.set_source_uri("nowhere");
  for (int i = 0; i < 1001; ++i) bad.mutable_body()->append("# x\n");
  const auto problem = [&](const char* field) {
    const auto updated = Edit({.id = "post", .article = bad, .paths = {field}});
    EXPECT_EQ(ReasonOf(updated.status()), "INVALID_REQUEST");
    return std::string(updated.status().message());
  };
  EXPECT_EQ(problem("title"), "article.title is required");
  EXPECT_EQ(problem("source_uri"), "article.source_uri is not an absolute http or https URI");
  EXPECT_EQ(problem("body"), "article.body has 1001 sections; at most 1000 are allowed");
  EXPECT_EQ(GetOne("post").revision(), 1);
}

TEST_F(PublishingTest, AnUpdateNeedsTheCurrentEtagIfItChangesAnything) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  v1::Article changes = MakeOther();
  changes.set_etag("stale");
  const auto update = [&](const std::string& field) {
    return Edit({.id = "post", .article = changes, .paths = {field}});
  };
  EXPECT_EQ(ReasonOf(update("summary").status()), "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(update("publish_time").status()), "ETAG_MISMATCH");
  changes.set_etag(GetOne("post").etag());
  EXPECT_EQ(update("summary")->revision(), 2);
  EXPECT_EQ(update("summary")->revision(), 2) << "it is so already";
  EXPECT_EQ(ReasonOf(Edit({.id = "none", .article = changes, .paths = {"title"}}).status()),
            "ARTICLE_NOT_FOUND");
}

TEST_F(PublishingTest, ValidatingAnUpdateChangesNothing) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  Sql("UPDATE article_state SET comment_count = 7");  // to be seen in the answer
  const v1::Article before = GetOne("post");
  ArticleEdit edit{.id = "post", .article = MakeOther(), .paths = {"body"}, .validate_only = true};
  const auto preview = Edit(edit);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->body(), MakeOther().body());
  EXPECT_EQ(preview->sections_size(), 2);
  EXPECT_EQ(preview->comment_count(), 7);
  EXPECT_FALSE(preview->has_update_time());
  EXPECT_EQ(preview->revision(), 0);
  EXPECT_EQ(preview->etag(), "");
  edit.article.clear_body();
  EXPECT_EQ(ReasonOf(Edit(edit).status()), "INVALID_REQUEST");
  edit.article = before;
  EXPECT_EQ(Edit(edit)->etag(), "") << "whether or not it would change something";
  EXPECT_EQ(GetOne("post").SerializeAsString(), before.SerializeAsString());
}

TEST_F(PublishingTest, AnUpdatedArticleStaysRetracted) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(Edit({.id = "post", .article = MakeOther(), .paths = {"title", "tags"}})->title(),
            "Another title");
  EXPECT_FALSE(Exists("post"));
  EXPECT_TRUE(Inspect("post")->retracted);
  EXPECT_EQ(Sql("SELECT count(*) FROM article_search"), "0");
  ASSERT_TRUE(Edit({.id = "post", .article = MakeArticle("post"), .paths = {"title"}}).ok());
  EXPECT_EQ(Publish(MakeArticle("post"))->outcome, v1::PUBLISH_OUTCOME_REPLACED);
  EXPECT_TRUE(Exists("post"));
  EXPECT_EQ(Sql("SELECT count(*) FROM article_search"), "1");
}

TEST_F(PublishingTest, EverythingFollowsThePublishTime) {
  v1::Article article = MakeOther();
  article.set_name("articles/post");
  ASSERT_TRUE(CompleteArticle("article", article).ok());
  ASSERT_TRUE(Publish(article).ok());
  const std::string comment = Add("post", "waits");
  ArticleEdit edit{.id = "post", .article = article, .paths = {"publish_time"}};
  *edit.article.mutable_publish_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(absl::Now() + absl::Hours(1)));
  ASSERT_TRUE(Edit(edit).ok());
  EXPECT_FALSE(Exists("post"));
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 9}), IsEmpty());
  EXPECT_THAT(ListTitles({.author = "Ana", .page_size = 9}), IsEmpty());
  EXPECT_EQ(ReasonOf(GetComment(comment).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(comment).status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(Inspect("post")->article.publish_time(), edit.article.publish_time());
  EXPECT_FALSE(Inspect("post")->retracted);
  EXPECT_EQ(Sql("SELECT count(DISTINCT publish_time) FROM (SELECT publish_time FROM article_label "
                "UNION ALL SELECT publish_time FROM article_search UNION ALL "
                "SELECT publish_time FROM article_state) AS everywhere"),
            "1");
}

TEST_F(PublishingTest, AScheduledArticleAppearsAtItsTimeByItself) {
  v1::Article article = MakeArticle("soon");
  article.add_tags("sea");
  const absl::Time due = absl::Now() + absl::Milliseconds(300);
  *article.mutable_publish_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(due));
  ASSERT_TRUE(Publish(article).ok());
  EXPECT_FALSE(Exists("soon"));
  while (!Exists("soon")) ASSERT_LT(absl::Now(), due + absl::Seconds(20));
  EXPECT_GE(absl::Now(), due);
  EXPECT_THAT(ListTitles({.tag = "sea", .page_size = 9}), ElementsAre("About soon"));
  EXPECT_EQ(GetOne("soon").revision(), 1);
}

// ---- Retracting ----

TEST_F(PublishingTest, ARetractedArticleComesBackAsItWas) {
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  const std::string comment = Add("post", "hello");
  const v1::Article before = GetOne("post");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(*Retract("post", "stale"), 3) << "it is so already";
  const auto inspected = Inspect("post");
  ASSERT_TRUE(inspected.ok()) << inspected.status();
  EXPECT_TRUE(inspected->retracted);
  EXPECT_EQ(inspected->article.body(), "Some text.");
  EXPECT_THAT(inspected->former_names, IsEmpty());
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  v1::Article after = GetOne("post");
  EXPECT_EQ(after.revision(), 4);
  after.set_revision(before.revision());
  EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString());
  EXPECT_TRUE(GetComment(comment).ok());
  EXPECT_EQ(ReasonOf(Inspect("none").status()), "ARTICLE_NOT_FOUND");
}

// ---- Renaming ----

class RenamingTest : public PublishingTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(Publish(MakeArticle("old")).ok());
    comment_ = Add("old", "hello");
    id_ = ParseCommentName(comment_)->comment_id;
  }

  std::string comment_;
  std::string id_;
};

TEST_F(RenamingTest, OldNamesGoOnNamingTheArticleAndAnswersCarryTheCurrentOne) {
  const auto renamed = Rename({.id = "old", .new_id = "new", .etag = "1"});
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_EQ(renamed->name(), "articles/new");
  EXPECT_EQ(renamed->body(), "");
  EXPECT_EQ(renamed->sections_size(), 0);
  EXPECT_EQ(renamed->revision(), 3);
  EXPECT_EQ(renamed->etag(), "1") << "the text is the same";

  const std::string current = CommentName("new", id_);
  for (const char* name : {"old", "new"}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(GetOne(name).name(), "articles/new");
    EXPECT_EQ(GetComment(CommentName(name, id_))->name(), current);
    EXPECT_EQ(List({.article_id = name, .page_size = 9})->page.items.back().name(), current);
    const auto page = GetPage({.article_id = name, .page_size = 9});
    EXPECT_EQ(ArticleOf(*page).name(), "articles/new");
    EXPECT_EQ(page->comments.items.back().name(), current);
    const auto reply = Create(MakeComment(name, "reply", comment_));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->reply_to(), current);
    EXPECT_EQ(ParseCommentName(reply->name())->article_id, "new");
    EXPECT_THAT(ListBodies({.article_id = name, .reply_to_id = id_, .page_size = 9}),
                ElementsAre("reply"));
    const CommentRef reference{name, id_};
    EXPECT_EQ(Update({.comment = reference, .body = name})->name(), current);
    EXPECT_EQ(Moderate(CommentName(name, id_), v1::COMMENT_STATE_HIDDEN)->name(), current);
    EXPECT_EQ(Moderate(CommentName(name, id_), v1::COMMENT_STATE_VISIBLE)->name(), current);
    EXPECT_TRUE(Delete({.comment = {name, ParseCommentName(reply->name())->comment_id}}).ok());
    v1::Article summary;
    summary.set_summary(name);
    EXPECT_EQ(Edit({.id = name, .article = summary, .paths = {"summary"}})->name(), "articles/new");
    EXPECT_EQ(Inspect(name)->article.name(), "articles/new");
    EXPECT_THAT(Inspect(name)->former_names, ElementsAre("articles/old"));
    EXPECT_TRUE(Retract(name).ok());
    const auto published = Publish(MakeArticle(name, absl::StrCat("Text by ", name)));
    EXPECT_EQ(published->outcome, v1::PUBLISH_OUTCOME_REPLACED);
    EXPECT_EQ(published->article.name(), "articles/new");
  }
  const auto both = Get({"new", "old", "new"});
  for (const auto& article : *both) EXPECT_EQ(article->name(), "articles/new");
  EXPECT_EQ(Sql("SELECT count(*) FROM article_state"), "1");
}

TEST_F(RenamingTest, ToTheNameItHasChangesNothing) {
  EXPECT_EQ(Rename({.id = "old", .new_id = "old", .etag = "stale"})->revision(), 2);
  EXPECT_EQ(ReasonOf(Rename({.id = "old", .new_id = "new", .etag = "stale"}).status()),
            "ETAG_MISMATCH");
  EXPECT_EQ(ReasonOf(Rename({.id = "none", .new_id = "new"}).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(RenamingTest, GoesOnAndBack) {
  for (const char* name : {"b", "c", "d"}) {
    EXPECT_EQ(Rename({.id = "old", .new_id = name})->name(), ArticleName(name));
  }
  for (const char* name : {"old", "b", "c", "d"}) EXPECT_EQ(GetOne(name).name(), "articles/d");
  EXPECT_EQ(Rename({.id = "c", .new_id = "old"})->name(), "articles/old");
  EXPECT_THAT(Inspect("d")->former_names, ElementsAre("articles/b", "articles/c", "articles/d"));
  EXPECT_EQ(GetOne("old").revision(), 6);
}

TEST_F(RenamingTest, ANameIsNeverGivenToAnotherArticle) {
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  EXPECT_EQ(ReasonOf(Rename({.id = "old", .new_id = "other"}).status()), "ARTICLE_EXISTS");
  ASSERT_TRUE(Rename({.id = "old", .new_id = "new"}).ok());
  for (const char* name : {"old", "new"}) {
    EXPECT_EQ(ReasonOf(Rename({.id = "other", .new_id = name}).status()), "ARTICLE_EXISTS");
  }
  EXPECT_EQ(GetOne("other").revision(), 1);

  // An id made from a title takes no former name either, nor replaces what has it.
  const PublishOptions unnamed{.may_replace = false};
  EXPECT_EQ(ReasonOf(Publish(MakeArticle("old", "Other text."), unnamed).status()),
            "ARTICLE_EXISTS");
  EXPECT_EQ(Publish(MakeArticle("old"), unnamed)->outcome, v1::PUBLISH_OUTCOME_UNCHANGED);
  EXPECT_EQ(GetOne("old").body(), "Some text.");
}

TEST_F(RenamingTest, RetractedArticlesCanBeRenamed) {
  ASSERT_TRUE(Retract("old").ok());
  EXPECT_EQ(Rename({.id = "old", .new_id = "new"})->name(), "articles/new");
  EXPECT_TRUE(Inspect("new")->retracted);
  EXPECT_FALSE(Exists("new"));
}

TEST_F(RenamingTest, ArticlesKeepTheirPlaceInListsAndPages) {
  v1::Article labelled = MakeOther();
  labelled.set_name("articles/one");
  ASSERT_TRUE(CompleteArticle("article", labelled).ok());
  ASSERT_TRUE(Publish(labelled).ok());
  labelled.set_name("articles/two");
  ASSERT_TRUE(Publish(labelled).ok());
  ASSERT_TRUE(Rename({.id = "one", .new_id = "zzz"}).ok());
  EXPECT_THAT(ListTitles({.author = "Ana", .tag = "sea", .page_size = 1}),
              ElementsAre("Another title", "Another title"));
}

TEST_F(RenamingTest, OfCallersWhoWantOneNameOneGetsIt) {
  constexpr int kArticles = 6;
  for (int i = 0; i < kArticles; ++i) {
    ASSERT_TRUE(Publish(MakeArticle(absl::StrCat("a", i))).ok());
  }
  for (int round = 0; round < 5; ++round) {
    const std::string wanted = absl::StrCat("wanted-", round);
    std::atomic<int> renamed = 0;
    std::atomic<int> created = 0;
    {
      std::vector<std::jthread> callers;
      for (int i = 0; i < kArticles; ++i) {
        callers.emplace_back([&, i] {
          // A store for each: one alone publishes one by one.
          const std::unique_ptr<Store> store = *Open(url_);
          if (i == 0) {
            const auto published = Await<PublishedArticle>([&](auto done) {
              store->PublishArticle({}, MakeArticle(wanted), {}, std::move(done));
            });
            ASSERT_TRUE(published.ok()) << published.status();
            created += published->outcome == v1::PUBLISH_OUTCOME_CREATED;
            return;
          }
          const auto answer = Await<v1::Article>([&](auto done) {
            store->RenameArticle({}, {.id = absl::StrCat("a", i), .new_id = wanted},
                                 std::move(done));
          });
          if (answer.ok()) {
            ++renamed;
          } else {
            EXPECT_EQ(ReasonOf(answer.status()), "ARTICLE_EXISTS");
          }
        });
      }
    }
    EXPECT_EQ(renamed + created, 1);
    EXPECT_EQ(GetOne(wanted).name(), ArticleName(wanted));
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM article_state s WHERE NOT EXISTS (SELECT FROM article_name n "
                "WHERE n.name = s.name AND n.article_id = s.article_id)"),
            "0");
}

// ---- The feed ----

TEST_F(PublishingTest, EveryChangeButCommentsMovesAnArticleToTheEndOfTheFeed) {
  const auto feed = [this] {
    return Sql(
        "SELECT string_agg(article_id, ' ' ORDER BY feed_position) || ' ' || "
        "max(feed_position) - (SELECT position FROM article_feed) FROM article_state");
  };
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Publish(MakeArticle(id)).ok());
  EXPECT_EQ(feed(), "a b c 0");
  ASSERT_TRUE(Publish(MakeArticle("a", "Other text.")).ok());
  EXPECT_EQ(feed(), "b c a 0");
  ASSERT_TRUE(Edit({.id = "b", .article = MakeOther(), .paths = {"comment_policy"}}).ok());
  EXPECT_EQ(feed(), "c a b 0");
  ASSERT_TRUE(Rename({.id = "c", .new_id = "x"}).ok());
  EXPECT_EQ(feed(), "a b c 0");
  ASSERT_TRUE(Retract("a").ok());
  EXPECT_EQ(feed(), "b c a 0");
  Add("b", "hello");
  ASSERT_TRUE(Publish(MakeArticle("c")).ok());
  ASSERT_TRUE(Retract("a").ok());
  EXPECT_EQ(feed(), "b c a 0") << "nothing changed";
}

TEST_F(PublishingTest, ThePositionOfItsLastAppearanceIsKept) {
  const auto appeared = [this] {
    return Sql("SELECT published_position || ' of ' || feed_position FROM article_state");
  };
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(appeared(), "1 of 1");
  ASSERT_TRUE(Publish(MakeArticle("post", "Other text.")).ok());
  EXPECT_EQ(appeared(), "1 of 2");
  ASSERT_TRUE(Retract("post").ok());
  ASSERT_TRUE(Edit({.id = "post", .article = MakeOther(), .paths = {"summary"}}).ok());
  EXPECT_EQ(appeared(), "1 of 4");
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_EQ(appeared(), "5 of 5");
}

TEST_F(PublishingTest, TheFeedIsInTheOrderOfTheCommits) {
  constexpr int kPublishers = 4;
  constexpr int kEach = 15;
  std::atomic<int> at_work = kPublishers;
  std::vector<std::jthread> publishers;
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    publishers.emplace_back([&, publisher] {
      const std::unique_ptr<Store> store = *Open(url_);
      for (int i = 0; i < kEach; ++i) {
        const auto published = Await<PublishedArticle>([&](auto done) {
          const std::string id = absl::StrCat("by-", publisher, "-", i);
          store->PublishArticle({}, MakeArticle(id), {}, std::move(done));
        });
        EXPECT_TRUE(published.ok()) << published.status();
      }
      --at_work;
    });
  }
  // Whoever has read up to a position never finds anything new before it.
  std::string last = "0";
  int seen = 0;
  for (bool done = false; !done;) {
    done = at_work == 0;
    const std::string read =
        Sql(absl::StrCat("SELECT count(*) || ' ' || coalesce(max(feed_position), ", last,
                         ") FROM article_state WHERE feed_position > ", last));
    const std::pair<std::string, std::string> count_and_last = absl::StrSplit(read, ' ');
    seen += std::stoi(count_and_last.first);
    last = count_and_last.second;
    ASSERT_EQ(std::stoi(last), seen) << "no position is used twice or left out";
  }
  EXPECT_EQ(seen, kPublishers * kEach);
}

}  // namespace
}  // namespace content::store
