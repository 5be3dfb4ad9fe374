#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_join.h"
#include "google/protobuf/util/time_util.h"
#include "store/store_fixture.h"

namespace content::store {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr v1::CommentState kVisible = v1::COMMENT_STATE_VISIBLE;
constexpr v1::CommentState kPending = v1::COMMENT_STATE_PENDING;
constexpr v1::CommentState kHidden = v1::COMMENT_STATE_HIDDEN;
constexpr v1::CommentState kDeleted = v1::COMMENT_STATE_DELETED;

class CommentLifeTest : public StoreTest {
 protected:
  void SetUp() override { ASSERT_TRUE(Publish(MakeArticle("post")).ok()); }

  void SetPolicy(v1::CommentPolicy policy) {
    v1::Article article;
    article.set_comment_policy(policy);
    ASSERT_TRUE(Edit({.id = "post", .article = article, .paths = {"comment_policy"}}).ok());
  }

  absl::StatusOr<v1::Comment> Rewrite(const std::string& name, const std::string& body,
                                      const std::string& etag = "") {
    return Update({.comment = *ParseCommentName(name), .body = body, .etag = etag});
  }

  v1::Comment Read(const std::string& name) {
    auto comment = GetComment(name);
    if (!comment.ok()) ADD_FAILURE() << comment.status();
    return comment.ok() ? *comment : v1::Comment();
  }

  bool IsShown(const std::string& name) {
    const auto comment = GetComment(name);
    EXPECT_THAT(ReasonOf(comment.status()), AnyOf("", "COMMENT_NOT_FOUND"));
    return comment.ok();
  }

  int64_t CommentCount() { return GetOne("post").comment_count(); }

  // Bodies of the comments that are stamped with the article's revision, as the last write left it.
  std::string LastChanged() {
    return Sql(
        "SELECT string_agg(body, ' ' ORDER BY body) FROM comment "
        "WHERE revision = (SELECT revision FROM article_state WHERE name = 'post')");
  }

  // Everything that reads of the article's comments answer with.
  std::string EverythingReadersGet(const std::vector<std::string>& names) {
    std::string everything;
    const auto add = [&everything](const google::protobuf::Message& message) {
      absl::StrAppend(&everything, message.DebugString());
    };
    for (const auto order :
         {v1::COMMENT_ORDER_NEWEST, v1::COMMENT_ORDER_OLDEST, v1::COMMENT_ORDER_THREADED}) {
      const auto page = GetPage({.article_id = "post", .order = order, .page_size = 200});
      add(ArticleOf(*page));
      for (const v1::Comment& comment : page->comments.items) add(comment);
      std::vector<std::string> threads = {""};
      for (const std::string& name : names) threads.push_back(ParseCommentName(name)->comment_id);
      for (const std::string& thread : threads) {
        const auto list =
            List({.article_id = "post", .order = order, .reply_to_id = thread, .page_size = 200});
        if (!list.ok()) continue;  // not a thread that readers see
        for (const v1::Comment& comment : list->page.items) add(comment);
      }
    }
    for (const std::string& name : names) {
      if (const auto comment = GetComment(name); comment.ok()) add(*comment);
    }
    const auto changes = Await<CommentChanges>(
        [&](auto done) { store_->ReadCommentChanges({}, "post", 0, std::move(done)); });
    EXPECT_TRUE(changes.ok()) << changes.status();
    if (changes.ok()) {
      for (const v1::Comment& comment : changes->comments) add(comment);
    }
    return everything;
  }
};

// ---- Editing ----

TEST_F(CommentLifeTest, AnEditChangesWhatItNamesAndIsCounted) {
  const std::string name = Add("post", "first");
  const v1::Comment before = Read(name);
  const auto edited = Rewrite(name, "second", before.etag());
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_EQ(edited->article_revision(), 3);

  v1::Comment after = Read(name);
  EXPECT_EQ(after.body(), "second");
  EXPECT_EQ(after.author().display_name(), "A Reader");
  EXPECT_EQ(after.edit_count(), 1);
  EXPECT_EQ(after.revision(), 3);
  EXPECT_NE(after.etag(), before.etag());
  EXPECT_EQ(after.create_time(), before.create_time());
  EXPECT_GT(after.update_time(), before.update_time());
  after.set_article_revision(3);
  EXPECT_EQ(after.SerializeAsString(), edited->SerializeAsString());

  ASSERT_TRUE(Update({.comment = *ParseCommentName(name), .author_display_name = "Ana"}).ok());
  after = Read(name);
  EXPECT_EQ(after.body(), "second");
  EXPECT_EQ(after.author().display_name(), "Ana");
  EXPECT_EQ(after.author().id(), "user-1");
  EXPECT_EQ(after.edit_count(), 2);
  EXPECT_EQ(CommentCount(), 1);
}

TEST_F(CommentLifeTest, AnEditToWhatIsThereChangesNothingAndNeedsNoEtag) {
  const std::string name = Add("post", "text");
  const v1::Comment before = Read(name);
  const auto same = Rewrite(name, "text", "stale");
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->edit_count(), 0);
  EXPECT_EQ(same->article_revision(), 2);
  EXPECT_EQ(Read(name).SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(GetOne("post").revision(), 2);
}

TEST_F(CommentLifeTest, AnEditNeedsTheCurrentEtag) {
  const std::string name = Add("post", "first");
  const std::string etag = Read(name).etag();
  ASSERT_TRUE(Rewrite(name, "second", etag).ok());
  EXPECT_EQ(ReasonOf(Rewrite(name, "third", etag).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Read(name).body(), "second");
}

TEST_F(CommentLifeTest, AReplyDoesNotChangeTheEtagOfWhatItAnswers) {
  const std::string name = Add("post", "text");
  const std::string etag = Read(name).etag();
  Add("post", "reply", name);
  EXPECT_EQ(Read(name).etag(), etag);
  EXPECT_EQ(Read(name).revision(), 3);
  EXPECT_EQ(Read(name).reply_count(), 1);
}

TEST_F(CommentLifeTest, AnEditOnAPremoderatedArticleWaitsAgain) {
  const std::string parent = Add("post", "parent");
  const std::string name = Add("post", "reply", parent);
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_EQ(Rewrite(name, "reply")->state(), kVisible) << "nothing changed";
  const auto edited = Rewrite(name, "rude");
  ASSERT_TRUE(edited.ok()) << edited.status();
  EXPECT_EQ(edited->state(), kPending);
  EXPECT_EQ(edited->body(), "rude");
  EXPECT_EQ(CommentCount(), 1);
  EXPECT_EQ(Read(parent).reply_count(), 0);
  EXPECT_FALSE(IsShown(name));
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ElementsAre("parent"));

  EXPECT_EQ(Rewrite(name, "polite")->state(), kPending);
  EXPECT_EQ(Moderate(name, kVisible)->body(), "polite");
  EXPECT_EQ(CommentCount(), 2);
  EXPECT_EQ(Update({.comment = *ParseCommentName(name), .author_display_name = "Boo"})->state(),
            kPending);
}

TEST_F(CommentLifeTest, HiddenAndDeletedCommentsAreNotEdited) {
  const std::string hidden = Add("post", "hidden");
  const std::string deleted = Add("post", "deleted");
  ASSERT_TRUE(Moderate(hidden, kHidden).ok());
  ASSERT_TRUE(Delete(deleted).ok());
  EXPECT_EQ(ReasonOf(Rewrite(hidden, "other").status()), "COMMENT_HIDDEN");
  EXPECT_EQ(ReasonOf(Rewrite(hidden, "hidden").status()), "COMMENT_HIDDEN");
  EXPECT_EQ(ReasonOf(Rewrite(deleted, "other").status()), "COMMENT_DELETED");
}

TEST_F(CommentLifeTest, AnEditNeedsItsCommentAndAnArticleThatReadersSee) {
  const std::string name = Add("post", "text");
  const std::string id = ParseCommentName(name)->comment_id;
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  EXPECT_EQ(ReasonOf(Rewrite(CommentName("other", id), "x").status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Rewrite(CommentName("none", id), "x").status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(CommentName("none", id)).status()), "ARTICLE_NOT_FOUND");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(ReasonOf(Rewrite(name, "x").status()), "ARTICLE_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Delete(name).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(CommentLifeTest, CommentsOfAClosedArticleCanBeEditedAndDeleted) {
  const std::string name = Add("post", "text");
  SetPolicy(v1::COMMENT_POLICY_CLOSED);
  EXPECT_EQ(Rewrite(name, "other")->state(), kVisible);
  EXPECT_TRUE(Delete(name).ok());
}

TEST_F(CommentLifeTest, ValidatingAnEditChangesNothing) {
  const std::string name = Add("post", "text");
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  const v1::Comment before = Read(name);
  CommentEdit edit{.comment = *ParseCommentName(name), .body = "other", .validate_only = true};
  for (const char* body : {"other", "text"}) {
    edit.body = body;
    const auto preview = Update(edit);
    ASSERT_TRUE(preview.ok()) << preview.status();
    EXPECT_EQ(preview->name(), name);
    EXPECT_EQ(preview->body(), body);
    EXPECT_EQ(preview->state(), edit.body == "other" ? kPending : kVisible);
    EXPECT_EQ(preview->edit_count(), edit.body == "other" ? 1 : 0);
    EXPECT_FALSE(preview->has_update_time());
    EXPECT_EQ(preview->revision(), 0);
    EXPECT_EQ(preview->etag(), "");
    EXPECT_EQ(preview->article_revision(), 0);
  }
  edit.body = "other";
  edit.etag = "stale";
  EXPECT_EQ(ReasonOf(Update(edit).status()), "ETAG_MISMATCH");
  EXPECT_EQ(Read(name).SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(GetOne("post").revision(), 3);
}

// ---- Deleting ----

TEST_F(CommentLifeTest, ADeletedCommentIsGoneTextAndAuthorAndAll) {
  const std::string name = Add("post", "very secret");
  Add("post", "kept");
  EXPECT_EQ(*Delete(name), 4);
  EXPECT_FALSE(IsShown(name));
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ElementsAre("kept"));
  EXPECT_EQ(CommentCount(), 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body LIKE '%secret%'"), "0");
  EXPECT_EQ(Sql("SELECT author_id || author_display_name || body FROM comment WHERE state = 4"),
            "");
  EXPECT_EQ(ReasonOf(Create(MakeComment("post", "re", name)).status()), "COMMENT_NOT_FOUND");
}

TEST_F(CommentLifeTest, ADeletedCommentLeavesAPlaceholderWhileRepliesAreShown) {
  const std::string name = Add("post", "secret");
  const std::string reply = Add("post", "reply", name);
  ASSERT_TRUE(Delete(name).ok());
  const v1::Comment placeholder = Read(name);
  EXPECT_EQ(placeholder.state(), kDeleted);
  EXPECT_FALSE(placeholder.has_author());
  EXPECT_EQ(placeholder.body(), "");
  EXPECT_EQ(placeholder.reply_count(), 1);
  EXPECT_EQ(CommentCount(), 1);
  EXPECT_EQ(Sql("SELECT count(*) FROM comment WHERE body LIKE '%secret%'"), "0");
  EXPECT_EQ(ReasonOf(Create(MakeComment("post", "re", name)).status()), "COMMENT_NOT_FOUND");

  ASSERT_TRUE(Delete(reply).ok());
  EXPECT_FALSE(IsShown(name));
  EXPECT_FALSE(IsShown(reply));
  EXPECT_EQ(CommentCount(), 0);
}

TEST_F(CommentLifeTest, DeletingAgainChangesNothing) {
  const std::string name = Add("post", "text");
  Add("post", "reply", name);
  EXPECT_EQ(*Delete(name), 4);
  EXPECT_EQ(*Delete(name), 4);
  EXPECT_EQ(*Delete({.comment = *ParseCommentName(name), .etag = "stale"}), 4);
  EXPECT_EQ(GetOne("post").revision(), 4);
}

TEST_F(CommentLifeTest, DeletingNeedsTheCurrentEtag) {
  const std::string name = Add("post", "text");
  const CommentRef reference = *ParseCommentName(name);
  EXPECT_EQ(ReasonOf(Delete({.comment = reference, .etag = "stale"}).status()), "ETAG_MISMATCH");
  EXPECT_TRUE(Delete({.comment = reference, .etag = Read(name).etag()}).ok());
}

TEST_F(CommentLifeTest, DeletingWhatIsNotThereFailsUnlessThatIsAllowed) {
  const CommentRef none{"post", NewUuid(absl::Now())};
  EXPECT_EQ(ReasonOf(Delete({.comment = none}).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(*Delete({.comment = none, .etag = "x", .allow_missing = true}), 1);
}

TEST_F(CommentLifeTest, HiddenAndWaitingCommentsCanBeDeleted) {
  for (const v1::CommentState state : {kHidden, kPending}) {
    const std::string name = Add("post", "text");
    ASSERT_TRUE(Moderate(name, state).ok());
    EXPECT_TRUE(Delete(name).ok());
    EXPECT_EQ(ReasonOf(Moderate(name, kVisible).status()), "COMMENT_DELETED");
  }
  EXPECT_EQ(CommentCount(), 0);
}

// ---- Moderating ----

TEST_F(CommentLifeTest, ModeratorsMoveCommentsInEveryDirection) {
  const std::string parent = Add("post", "parent");
  const std::string name = Add("post", "text", parent);
  int64_t revision = 3;
  v1::CommentState from = kVisible;
  for (const v1::CommentState to :
       {kPending, kHidden, kPending, kVisible, kHidden, kVisible, kPending, kVisible}) {
    const std::string etag = Moderate(name, from)->etag();
    const auto moved = Moderate(name, to, etag);
    ASSERT_TRUE(moved.ok()) << moved.status();
    EXPECT_EQ(moved->state(), to);
    EXPECT_EQ(moved->body(), "text");
    EXPECT_EQ(moved->author().id(), "user-1");
    EXPECT_EQ(moved->edit_count(), 0);
    EXPECT_EQ(moved->article_revision(), ++revision);
    EXPECT_EQ(moved->revision(), revision);
    EXPECT_NE(moved->etag(), etag);
    EXPECT_EQ(IsShown(name), to == kVisible);
    EXPECT_EQ(CommentCount(), to == kVisible ? 2 : 1);
    EXPECT_EQ(Read(parent).reply_count(), to == kVisible ? 1 : 0);
    EXPECT_EQ(ReasonOf(Moderate(name, from, etag).status()), "ETAG_MISMATCH");
    EXPECT_EQ(Moderate(name, to, "stale")->article_revision(), revision) << "is so already";
    from = to;
  }
}

TEST_F(CommentLifeTest, ModeratingNeedsAComment) {
  const std::string id = NewUuid(absl::Now());
  EXPECT_EQ(ReasonOf(Moderate(CommentName("post", id), kHidden).status()), "COMMENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Moderate(CommentName("none", id), kHidden).status()), "ARTICLE_NOT_FOUND");
}

TEST_F(CommentLifeTest, CommentsOfRetractedArticlesCanBeModerated) {
  const std::string name = Add("post", "text");
  ASSERT_TRUE(Retract("post").ok());
  EXPECT_EQ(Moderate(name, kHidden)->article_revision(), 4);
  ASSERT_TRUE(Publish(MakeArticle("post")).ok());
  EXPECT_FALSE(IsShown(name));
  EXPECT_EQ(CommentCount(), 0);
}

TEST_F(CommentLifeTest, RepliesOfAHiddenCommentStayReadableAndItsTextIsNowhere) {
  NewComment comment = MakeComment("post", "unspeakable");
  comment.author.set_id("villain-id");
  comment.author.set_display_name("Villain");
  const std::string name = Create(comment)->name();
  const std::string reply = Add("post", "calm", name);
  const std::string below = Add("post", "calmer", reply);
  for (const v1::CommentState state : {kHidden, kPending}) {
    ASSERT_TRUE(Moderate(name, state).ok());
    const std::string everything = EverythingReadersGet({name, reply, below});
    for (const char* secret : {"unspeakable", "villain", "Villain"}) {
      EXPECT_THAT(everything, Not(HasSubstr(secret)));
    }
    EXPECT_THAT(everything, HasSubstr(v1::CommentState_Name(state)));
    EXPECT_THAT(ListBodies({.article_id = "post",
                            .order = v1::COMMENT_ORDER_THREADED,
                            .reply_to_id = comment.comment_id,
                            .page_size = 1}),
                ElementsAre("calm", "calmer"));
    EXPECT_EQ(ReasonOf(Create(MakeComment("post", "re", name)).status()), "COMMENT_NOT_FOUND");
    EXPECT_EQ(Read(name).reply_count(), 1);
  }
  EXPECT_TRUE(Create(MakeComment("post", "calmest", below)).ok());
  ASSERT_TRUE(Moderate(name, kVisible).ok());
  EXPECT_EQ(Read(name).body(), "unspeakable");
}

// ---- What becomes of one comment shows or hides those above ----

class ThreadTest : public CommentLifeTest {
 protected:
  // A hidden comment over a deleted one over a visible one, beside others of the same thread.
  void SetUp() override {
    CommentLifeTest::SetUp();
    top_ = Add("post", "top");
    hidden_ = Add("post", "hidden", top_);
    deleted_ = Add("post", "deleted", hidden_);
    last_ = Add("post", "last", deleted_);
    Add("post", "beside", top_);
    ASSERT_TRUE(Moderate(hidden_, kHidden).ok());
    ASSERT_TRUE(Delete(deleted_).ok());
    Sql("UPDATE comment SET body = 'deleted' WHERE state = 4");  // to be known by
  }

  std::vector<bool> Shown() { return {IsShown(hidden_), IsShown(deleted_), IsShown(last_)}; }

  std::string top_, hidden_, deleted_, last_;
};

TEST_F(ThreadTest, DeletingTheLastShownReplyTakesThePlaceholdersAboveAway) {
  EXPECT_THAT(Shown(), Each(true));
  EXPECT_EQ(Read(top_).reply_count(), 2);
  ASSERT_TRUE(Delete(last_).ok());
  EXPECT_THAT(Shown(), Each(false));
  EXPECT_EQ(LastChanged(), " deleted hidden top");
  EXPECT_EQ(Read(top_).reply_count(), 1);
  EXPECT_EQ(CommentCount(), 2);
  EXPECT_THAT(ListBodies({.article_id = "post", .page_size = 9}), ElementsAre("beside", "top"));
}

TEST_F(ThreadTest, ApprovingAReplyBringsThePlaceholdersAboveBack) {
  ASSERT_TRUE(Moderate(last_, kPending).ok());
  EXPECT_THAT(Shown(), Each(false));
  EXPECT_EQ(ReasonOf(List({.article_id = "post",
                           .reply_to_id = ParseCommentName(deleted_)->comment_id,
                           .page_size = 9})
                         .status()),
            "COMMENT_NOT_FOUND");
  ASSERT_TRUE(Moderate(last_, kVisible).ok());
  EXPECT_THAT(Shown(), Each(true));
  EXPECT_EQ(LastChanged(), "deleted hidden last top");
  EXPECT_EQ(Read(top_).reply_count(), 2);
  EXPECT_EQ(Read(hidden_).reply_count(), 1);
  EXPECT_EQ(Read(deleted_).reply_count(), 1);
}

TEST_F(ThreadTest, ApprovingAPlaceholderShowsItAlone) {
  ASSERT_TRUE(Delete(last_).ok());
  ASSERT_TRUE(Moderate(hidden_, kVisible).ok());
  EXPECT_THAT(Shown(), ElementsAre(true, false, false));
  EXPECT_EQ(LastChanged(), "hidden top");
  EXPECT_EQ(Read(hidden_).reply_count(), 0);
  EXPECT_EQ(Read(top_).reply_count(), 2);
}

TEST_F(ThreadTest, HidingACommentThatStaysAsAPlaceholderTouchesNoOther) {
  ASSERT_TRUE(Moderate(top_, kHidden).ok());
  EXPECT_EQ(LastChanged(), "top");
  EXPECT_TRUE(IsShown(top_));
}

TEST_F(ThreadTest, EveryWriteStampsExactlyWhatItChanges) {
  Add("post", "another", last_);
  EXPECT_EQ(LastChanged(), "another last");
  ASSERT_TRUE(Rewrite(last_, "last!").ok());
  EXPECT_EQ(LastChanged(), "last!");
  SetPolicy(v1::COMMENT_POLICY_PREMODERATED);
  EXPECT_EQ(LastChanged(), "");
  Add("post", "waits", top_);
  EXPECT_EQ(LastChanged(), "waits");
  ASSERT_TRUE(Rewrite(last_, "last?").ok());
  EXPECT_EQ(LastChanged(), "last?") << "it waits now, and stays a placeholder";
}

// ---- All of it at once ----

class ThreadsUnderLoadTest : public CommentLifeTest {
 protected:
  // One of the comments added so far, or "".
  std::string Pick(std::mt19937& random) {
    const std::lock_guard lock(mutex_);
    if (names_.empty()) return "";
    return names_[random() % names_.size()];
  }

  // Does something to a comment, and returns why it could not.
  std::string ActAtRandom(std::mt19937& random) {
    const std::string name = Pick(random);
    const std::string text = absl::StrCat(random());
    if (name.empty() || random() % 8 == 0) {
      return Keep(Create(MakeComment(random() % 4 == 0 ? "other" : "post", text)));
    }
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        return Keep(Create(MakeComment(ParseCommentName(name)->article_id, text, name)));
      case 3:
        return ReasonOf(Rewrite(name, text).status());
      case 4:
        return ReasonOf(Delete(name).status());
      default:
        return ReasonOf(
            Moderate(name, std::vector{kVisible, kPending, kHidden}[random() % 3]).status());
    }
  }

  std::string Keep(const absl::StatusOr<v1::Comment>& created) {
    if (created.ok()) {
      const std::lock_guard lock(mutex_);
      names_.push_back(created->name());
    }
    return ReasonOf(created.status());
  }

  std::mutex mutex_;
  std::vector<std::string> names_;
};

// Everything that is counted, from the definition: a comment is shown if some comment of its thread
// from it downwards is VISIBLE.
constexpr char kWrongComments[] = R"sql(
WITH actual AS (
  SELECT article_id, comment_id, parent_id,
         EXISTS (SELECT FROM comment d WHERE d.article_id = c.article_id AND d.state = 1
                 AND substring(d.thread_key FOR length(c.thread_key)) = c.thread_key) AS shown
  FROM comment c
)
SELECT count(*) FROM comment c JOIN actual a USING (article_id, comment_id)
WHERE c.shown <> a.shown OR (a.shown AND NOT c.ever_shown)
   OR c.reply_count <> (SELECT count(*) FROM actual r WHERE r.article_id = c.article_id
                        AND r.parent_id = c.comment_id AND r.shown)
   OR c.depth <> length(c.thread_key) / 16 - 1
   OR (c.state = 4 AND c.author_id || c.author_display_name || c.body <> '')
   OR (c.state <> 4 AND (c.author_id = '' OR c.author_display_name = '' OR c.body = ''))
   OR c.text_revision > c.revision
)sql";
constexpr char kWrongArticles[] = R"sql(
SELECT count(*) FROM article_state s
WHERE comment_count <> (SELECT count(*) FROM comment c
                        WHERE c.article_id = s.article_id AND c.state = 1)
   OR revision < (SELECT max(c.revision) FROM comment c WHERE c.article_id = s.article_id)
)sql";

TEST_F(ThreadsUnderLoadTest, CountsAreExactWhateverHappensAtTheSameTime) {
  constexpr int kCallers = 16;
  constexpr int kActionsEach = 60;
  ASSERT_TRUE(Publish(MakeArticle("other")).ok());
  std::map<std::string, int> outcomes;
  {
    std::vector<std::jthread> callers;
    for (unsigned seed = 0; seed < kCallers; ++seed) {
      callers.emplace_back([this, seed, &outcomes] {
        std::mt19937 random(seed);
        for (int i = 0; i < kActionsEach; ++i) {
          if (seed == 0 && i % 15 == 0) {
            SetPolicy(i % 30 == 0 ? v1::COMMENT_POLICY_OPEN : v1::COMMENT_POLICY_PREMODERATED);
          }
          const std::string outcome = ActAtRandom(random);
          const std::lock_guard lock(mutex_);
          ++outcomes[outcome];
        }
      });
    }
  }
  for (const auto& [outcome, count] : outcomes) {
    EXPECT_THAT(outcome, AnyOf("", "COMMENT_NOT_FOUND", "COMMENT_HIDDEN", "COMMENT_DELETED",
                               "THREAD_TOO_DEEP"));
  }
  EXPECT_GT(outcomes[""], kCallers * kActionsEach / 3);
  EXPECT_EQ(Sql(kWrongComments), "0");
  EXPECT_EQ(Sql(kWrongArticles), "0");
  EXPECT_EQ(Sql("SELECT count(*) - count(DISTINCT (article_id, text_revision)) FROM comment"), "0")
      << "each write has a revision of its own";
  EXPECT_EQ(Sql("SELECT count(DISTINCT xmin::text) < count(*) * 0.7 FROM comment"), "t")
      << "many are written together";
  EXPECT_EQ(Sql("SELECT count(DISTINCT state) FROM comment"), "4");
  EXPECT_GT(std::stoi(Sql("SELECT max(depth) FROM comment")), 2);
  EXPECT_GT(std::stoi(Sql("SELECT count(*) FROM comment WHERE shown AND state <> 1")), 0);
  EXPECT_GT(std::stoi(Sql("SELECT count(*) FROM comment WHERE NOT shown AND ever_shown")), 0);

  // And what readers get is that.
  const auto threaded =
      ListBodies({.article_id = "post", .order = v1::COMMENT_ORDER_THREADED, .page_size = 7});
  EXPECT_EQ(std::to_string(threaded.size()),
            Sql("SELECT count(*) FROM comment WHERE shown AND article_id = 'post'"));
  EXPECT_EQ(std::count_if(threaded.begin(), threaded.end(),
                          [](const std::string& body) { return !body.empty(); }),
            CommentCount());
}

}  // namespace
}  // namespace content::store
