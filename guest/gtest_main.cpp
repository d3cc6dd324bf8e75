// The main function of the pure tier's unit tests in the guest.
#include "oracle_pipe.hpp"

#include <gtest/gtest.h>

int main(int argc, char** argv) {
    meridian::guest::install_oracle();
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
