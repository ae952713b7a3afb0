// least_squares.h: weighted linear least squares in a few unknowns, by normal equations and Cholesky's factor.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace ehc::grey {

constexpr std::size_t most_unknowns = 28;

class LeastSquares {
public:
    using Row = std::array<float, most_unknowns>;

    explicit LeastSquares(std::size_t unknowns) noexcept : n_(unknowns) {}

    /// row . x = target, with this weight; from the first `unknowns` on the row is 0. Squares of four rows by four columns
    /// at a time: what they add above the diagonal is never looked at.
    void add(const Row &row, float target, float weight) noexcept
    {
        for (std::size_t i = 0; i < n_; i += lanes) {
            float scaled[lanes];
            for (std::size_t r = 0; r < lanes; ++r)
                scaled[r] = weight * row[i + r], b_[i + r] += scaled[r] * target;
            for (std::size_t k = 0; k <= i; k += lanes) {
                const Lanes four = lanes_at(&row[k]);
                for (std::size_t r = 0; r < lanes; ++r) {
                    const Lanes sum = lanes_at(&a_[i + r][k]) + scaled[r] * four;
                    std::memcpy(&a_[i + r][k], &sum, sizeof sum);
                }
            }
        }
        squares_ += weight * target * target;
    }

    /// Of x[i]: all its rows count, with their squares.
    float weight(std::size_t i) const noexcept { return a_[i][i]; }

    /// x[i] that fits best where the others are as they are; before `factor`, like `left`.
    float best(std::size_t i, const Row &x) const noexcept
    {
        float sum = b_[i];
        for (std::size_t k = 0; k < n_; ++k)
            if (k != i)
                sum -= (k < i ? a_[i][k] : a_[k][i]) * x[k];
        return sum / a_[i][i];
    }

    /// The weighed squares of what an x leaves of the targets.
    double left(const Row &x) const noexcept
    {
        double sum = squares_;
        for (std::size_t i = 0; i < n_; ++i) {
            Lanes products = {0.5F * a_[i][i] * x[i] - b_[i]};
            std::size_t k = 0;
            for (; k + lanes <= i; k += lanes)
                products += lanes_at(&a_[i][k]) * lanes_at(&x[k]);
            for (; k < i; ++k)
                products[0] += a_[i][k] * x[k];
            sum += 2.0 * ((products[0] + products[1]) + (products[2] + products[3])) * x[i];
        }
        return sum;
    }

    /// x[i] = value, with this weight: what holds where the rows say nothing.
    void prefer(std::size_t i, float value, float weight) noexcept
    {
        a_[i][i] += weight;
        b_[i] += weight * value;
    }

    /// Factors the left side, for `solve` with any right side; false when it leaves an unknown open.
    bool factor() noexcept
    {
        for (std::size_t i = 0; i < n_; ++i)
            for (std::size_t k = 0; k <= i; ++k) {
                double sum = a_[i][k];
                for (std::size_t m = 0; m < k; ++m)
                    sum -= static_cast<double>(a_[i][m]) * a_[k][m];
                if (k < i)
                    a_[i][k] = static_cast<float>(sum / a_[k][k]);
                else if (!(sum > 1e-9)) // written so that NaN is refused
                    return false;
                else
                    a_[i][i] = static_cast<float>(std::sqrt(sum));
            }
        return true;
    }

    Row solve(const Row &right) const noexcept
    {
        Row x{};
        std::copy_n(right.begin(), n_, x.begin()); // what is not asked for stays 0
        for (std::size_t i = 0; i < n_; ++i) {
            for (std::size_t k = 0; k < i; ++k)
                x[i] -= a_[i][k] * x[k];
            x[i] /= a_[i][i];
        }
        for (std::size_t i = n_; i-- > 0;) {
            for (std::size_t k = i + 1; k < n_; ++k)
                x[i] -= a_[k][i] * x[k];
            x[i] /= a_[i][i];
        }
        return x;
    }

    /// The unknowns of the rows that were added; after `factor`.
    Row solve() const noexcept { return solve(b_); }

private:
    static constexpr std::size_t lanes = 4;
    static_assert(most_unknowns % lanes == 0);
    using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));

    static Lanes lanes_at(const float *at) noexcept
    {
        Lanes out;
        std::memcpy(&out, at, sizeof out);
        return out;
    }

    std::size_t n_;
    std::array<Row, most_unknowns> a_{};
    Row b_{};
    float squares_ = 0;
};

} // namespace ehc::grey
