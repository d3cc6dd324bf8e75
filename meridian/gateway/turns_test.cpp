// In which order work for the chain's strand is done.
#include <meridian/gateway/turns.hpp>

#include <gtest/gtest.h>

#include <string>

namespace meridian::gateway {
namespace {

class TurnsTest : public testing::Test {
protected:
    void add(ClientId client, char mark, int count = 1) {
        for (int i = 0; i < count; ++i) {
            m_turns.add(client, [this, mark] { m_done.push_back(mark); });
            ++m_waiting;
        }
    }
    std::string run_all() {
        for (; m_waiting > 0; --m_waiting)
            m_turns.run_next();
        return std::move(m_done);
    }

    Turns m_turns;
    int m_waiting = 0;
    std::string m_done;
};

TEST_F(TurnsTest, OneOfEachClientBeforeTheSecondOfAny) {
    add(1, 'a', 4);
    add(2, 'b');
    add(3, 'c', 2);
    EXPECT_EQ(run_all(), "abcacaa");
}

TEST_F(TurnsTest, EveryOtherTurnIsTheNodesOwn) {
    for (ClientId client = 1; client <= 6; ++client)
        add(client, static_cast<char>('a' + client - 1));
    add(kNobody, '.', 3);
    EXPECT_EQ(run_all(), ".a.b.cdef");
    add(kNobody, '.', 3);
    EXPECT_EQ(run_all(), "...");
}

}  // namespace
}  // namespace meridian::gateway
