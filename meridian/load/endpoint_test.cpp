#include <meridian/load/endpoint.hpp>

#include <gtest/gtest.h>

namespace meridian::load {
namespace {

TEST(Endpoint, ReadsWhatItWrites) {
    for (const char* text : {"http://127.0.0.1:8545", "ws://localhost:8546/rpc", "tcp://10.0.0.1:9000",
                             "http://[::1]:8545", "ws://[fe80::1]:80/a/b"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->text(), text);
    }
}

TEST(Endpoint, NamesItsParts) {
    const auto endpoint = parse_endpoint("ws://[::1]:123/x");
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->kind, Endpoint::Kind::WebSocket);
    EXPECT_EQ(endpoint->host, "::1");
    EXPECT_EQ(endpoint->port, 123);
    EXPECT_EQ(endpoint->path, "/x");
    EXPECT_EQ(endpoint->as(Endpoint::Kind::Http).text(), "http://[::1]:123/x");
    EXPECT_EQ(parse_endpoint("http://node")->port, 80);
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
    for (const char* text :
         {"", "127.0.0.1:8545", "https://a:1", "http://", "http://:80", "http://a:0", "http://a:b",
          "http://a:70000", "http://a:1x", "http://[::1", "http://::1:80", "tcp://a:1/path", "http://[[]:1",
          "http://a b:1", "http://a:1/x y", "http://a:1/\r\nx"}) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_FALSE(endpoint) << text;
        EXPECT_NE(endpoint.error().find("want http://HOST:PORT"), std::string::npos);
    }
}

}  // namespace
}  // namespace meridian::load
