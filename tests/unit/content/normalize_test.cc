#include "content/normalize.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

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

TEST(NormalizeMessage, ReachesEveryTextOfEveryRequest) {
  int requests = 0;
  for (const auto* file : {v1::GetArticleRequest::descriptor()->file(),
                           v1::PublishArticleRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      const Descriptor* const type = file->service(0)->method(i)->input_type();
      const std::unique_ptr<Message> request(
          google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
      Fill(*request);
      NormalizeMessage(*request);
      EXPECT_EQ(request->DebugString().find("e\\314\\201"), std::string::npos)
          << request->DebugString();
      ++requests;
    }
  }
  EXPECT_GT(requests, 15);
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
