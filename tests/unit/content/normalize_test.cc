#include "content/normalize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "content/v1/admin_service.pb.h"
#include "content/v1/article.pb.h"
#include "content/v1/content_service.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace content {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kDecomposed[] = " e\u0301 ";

// Sets every text of a message to kDecomposed.
void Fill(Message& message) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* const field = message.GetDescriptor()->field(i);
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (field->is_repeated()) {
        reflection.AddString(&message, field, kDecomposed);
      } else {
        reflection.SetString(&message, field, kDecomposed);
      }
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      Fill(field->is_repeated() ? *reflection.AddMessage(&message, field)
                                : *reflection.MutableMessage(&message, field));
    }
  }
}

// An empty request for each method of the contract.
std::vector<std::unique_ptr<Message>> Requests() {
  std::vector<std::unique_ptr<Message>> requests;
  for (const auto* file : {v1::GetArticleRequest::descriptor()->file(),
                           v1::PublishArticleRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      const Descriptor* const type = file->service(0)->method(i)->input_type();
      requests.emplace_back(
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    }
  }
  return requests;
}

TEST(NormalizeMessage, ReachesEveryTextOfEveryRequest) {
  const std::vector<std::unique_ptr<Message>> requests = Requests();
  EXPECT_GT(requests.size(), 15U);
  for (const std::unique_ptr<Message>& request : requests) {
    Fill(*request);
    NormalizeMessage(*request);
    EXPECT_EQ(request->DebugString().find("e\\314\\201"), std::string::npos)
        << request->DebugString();
  }
}

TEST(NormalizeMessage, TrimsNamesAndTitles) {
  v1::PublishArticleRequest request;
  Fill(request);
  NormalizeMessage(request);
  EXPECT_EQ(request.article().title(), "é");
  EXPECT_EQ(request.article().tags(0), "é");
  EXPECT_EQ(request.article().authors(0).id(), "é");
  EXPECT_EQ(request.article().authors(0).display_name(), "é");
  EXPECT_EQ(request.article().summary(), " é ");
  EXPECT_EQ(request.article().body(), " é ");
  v1::CreateCommentRequest comment;
  Fill(comment);
  NormalizeMessage(comment);
  EXPECT_EQ(comment.comment().author().id(), "é");
  EXPECT_EQ(comment.comment().author().display_name(), "é");
  EXPECT_EQ(comment.comment().body(), " é ");
  v1::ListArticlesRequest list;
  Fill(list);
  NormalizeMessage(list);
  EXPECT_EQ(list.author(), "é");
  EXPECT_EQ(list.tag(), "é");
  v1::EraseAuthorRequest erase;
  Fill(erase);
  NormalizeMessage(erase);
  EXPECT_EQ(erase.author_id(), "é");
}

// Adds the names of the text fields of `message`, and of all within it, whose white space at the
// ends is kept.
void AddUntrimmed(const Message& message, std::set<std::string>& names) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      const std::string text = field->is_repeated()
                                   ? reflection.GetRepeatedString(message, field, 0)
                                   : reflection.GetString(message, field);
      if (text != "é") names.insert(std::string(field->name()));
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      AddUntrimmed(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, 0)
                                        : reflection.GetMessage(message, field),
                   names);
    }
  }
}

// A new field must be added here or, if it is one line that people read or choose, to IsLine.
TEST(NormalizeMessage, TrimsEveryTextButThese) {
  std::set<std::string> untrimmed;
  for (const std::unique_ptr<Message>& request : Requests()) {
    Fill(*request);
    NormalizeMessage(*request);
    AddUntrimmed(*request, untrimmed);
  }
  EXPECT_THAT(untrimmed,
              ::testing::UnorderedElementsAre(
                  "anchor", "article", "body", "comment_id", "etag", "heading", "language_code",
                  "name", "names", "new_name", "page_token", "parent", "paths", "reason",
                  "reply_to", "request_id", "resume_token", "source_uri", "summary", "uri"));
}

TEST(NormalizeMessage, LeavesANameOfWhiteSpaceToTheRules) {
  v1::ListArticlesRequest list;
  list.set_author(" ");
  NormalizeMessage(list);
  EXPECT_EQ(list.author(), " ");
}

TEST(NormalizeMessage, LeavesLongRunsOfMarksToTheRules) {
  v1::PublishArticleRequest request;
  std::string& body = *request.mutable_article()->mutable_body();
  body = "e\u0301";
  for (int i = 0; i < 1'000'000; ++i) body += i < 500'000 ? "\u0315" : "\u0316";
  const std::string before = body;
  NormalizeMessage(request);  // Would take minutes if ICU sorted them.
  EXPECT_EQ(request.article().body(), before);
}

TEST(NormalizeMessage, RemovesUnknownFieldsOfEveryPart) {
  v1::PublishArticleRequest request;
  Fill(request);
  NormalizeMessage(request);
  const std::string known = request.SerializeAsString();
  const auto add_unknown = [](Message* message) {
    message->GetReflection()->MutableUnknownFields(message)->AddVarint(1000, 1);
  };
  add_unknown(&request);
  add_unknown(request.mutable_article());
  add_unknown(request.mutable_article()->mutable_authors(0));
  add_unknown(request.mutable_article()->mutable_publish_time());
  NormalizeMessage(request);
  EXPECT_EQ(request.SerializeAsString(), known);
}

}  // namespace
}  // namespace content
