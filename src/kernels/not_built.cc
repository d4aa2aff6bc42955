// SPDX-License-Identifier: Apache-2.0
// What stands in for *_avx512.cc and *_amx.cc in a program that is built without them (CMakeLists.txt).
// CpuHasAvx512Bf16() is false there, so that nothing calls these.
#include "base/error.h"
#include "kernels/add.h"
#include "kernels/dense_kinds.h"
#include "kernels/direct_conv.h"
#include "kernels/norm.h"
#include "kernels/norm_pool.h"
#include "kernels/patch_conv_kinds.h"
#include "kernels/peak.h"
#include "kernels/pool.h"
#include "kernels/winograd.h"

namespace spotter::kernels {
namespace {

[[noreturn]] void NotBuilt() { Fail(ExitCode::kInternal, "this program is built without the AVX-512 bf16 kernels"); }

}  // namespace

double Avx512Bf16Burst() { NotBuilt(); }
double AmxBurst() { NotBuilt(); }

void ChannelMoments(const RowShape&, const bf16*, float*, float*, Scratch&) { NotBuilt(); }
void ScaleShiftAct(const RowShape&, const bf16*, const float*, const float*, Act, bf16*, Scratch&) { NotBuilt(); }
void GradientSums(const RowShape&, const bf16*, const bf16*, const float*, const float*, const float*, Act, float*,
                  float*, bf16*, Scratch&) {
  NotBuilt();
}
void ActGradient(const RowShape&, const bf16*, const bf16*, const float*, const float*, const float*, const float*, Act,
                 bf16*, Scratch&) {
  NotBuilt();
}
void ReluGradient(const RowShape&, const bf16*, bf16*, float*, Scratch&) { NotBuilt(); }

void AddMaps(int64_t, const bf16*, const bf16*, bf16*, int) { NotBuilt(); }

namespace avx512 {

void HalveDenseWeights(const DenseShape&, const float*, bf16*, int) { NotBuilt(); }
void DenseForward(const DenseShape&, const bf16*, const bf16*, const float*, bool, bf16*, Scratch&) { NotBuilt(); }
int64_t DenseTurnedSize(const DenseShape&) { NotBuilt(); }
void TurnDenseWeights(const DenseShape&, const bf16*, bf16*, int) { NotBuilt(); }
void DenseForwardOfFew(const DenseShape&, const bf16*, const bf16*, const float*, bool, bf16*, Scratch&) { NotBuilt(); }
void DenseDataGradient(const DenseShape&, const bf16*, const bf16*, bf16*, Scratch&) { NotBuilt(); }
void DenseWeightGradient(const DenseShape&, const bf16*, const bf16*, float*, Scratch&) { NotBuilt(); }

int64_t PatchPackedSize(const ConvShape&) { NotBuilt(); }
void PackPatchWeights(const ConvShape&, const float*, bf16*) { NotBuilt(); }
void PatchForward(const ConvShape&, const bf16*, const bf16*, const float*, Act, bf16*, bf16*, Scratch&) { NotBuilt(); }
void PatchWeightGradient(const ConvShape&, const bf16*, const bf16*, const bf16*, float*, float*, Scratch&) {
  NotBuilt();
}

}  // namespace avx512

namespace amx {

void HalveDenseWeights(const DenseShape&, const float*, bf16*, int) { NotBuilt(); }
void DenseForward(const DenseShape&, const bf16*, const bf16*, const float*, bool, bf16*, Scratch&) { NotBuilt(); }
void DenseDataGradient(const DenseShape&, const bf16*, const bf16*, bf16*, Scratch&) { NotBuilt(); }
void DenseWeightGradient(const DenseShape&, const bf16*, const bf16*, float*, Scratch&) { NotBuilt(); }

int64_t PatchPackedSize(const ConvShape&) { NotBuilt(); }
void PackPatchWeights(const ConvShape&, const float*, bf16*) { NotBuilt(); }
void PatchForward(const ConvShape&, const bf16*, const bf16*, const float*, Act, bf16*, bf16*, Scratch&) { NotBuilt(); }
void PatchWeightGradient(const ConvShape&, const bf16*, const bf16*, const bf16*, float*, float*, Scratch&) {
  NotBuilt();
}

}  // namespace amx

void NormMaxPool(const PoolShape&, const bf16*, const float*, const float*, Act, bf16*, bf16*, uint8_t*, int) {
  NotBuilt();
}
void NormMaxPoolGradient(const PoolShape&, const bf16*, const bf16*, const bf16*, const uint8_t*, const float*,
                         const float*, const float*, const float*, Act, bf16*, int) {
  NotBuilt();
}

void MaxPool(const PoolShape&, const bf16*, bf16*, uint8_t*, int) { NotBuilt(); }
void MaxPoolGradient(const PoolShape&, const bf16*, const uint8_t*, bf16*, int) { NotBuilt(); }
void Dropout(int64_t, const bf16*, double, uint64_t, bf16*, int) { NotBuilt(); }

int64_t DirectPackedSize(int64_t, int64_t) { NotBuilt(); }
void PackDirectForward(const ConvShape&, const float*, bf16*, int) { NotBuilt(); }
void PackDirectDataGradient(const ConvShape&, const float*, bf16*, int) { NotBuilt(); }
void DirectForward(const ConvShape&, const bf16*, const bf16*, const ConvEpilogue&, bf16*, uint32_t*, Scratch&) {
  NotBuilt();
}
void DirectDataGradient(const ConvShape&, const bf16*, const uint32_t*, const bf16*, bf16*, Scratch&) { NotBuilt(); }
void DirectWeightGradient(const ConvShape&, const bf16*, const bf16*, const uint32_t*, float*, Scratch&) { NotBuilt(); }

int64_t WinogradPackedSize(int64_t, int64_t) { NotBuilt(); }
void PackWinogradForward(const ConvShape&, const float*, bf16*, int) { NotBuilt(); }
void PackWinogradDataGradient(const ConvShape&, const float*, bf16*, int) { NotBuilt(); }
void WinogradForward(const ConvShape&, const bf16*, const bf16*, const ConvEpilogue&, bf16*, uint32_t*, Scratch&) {
  NotBuilt();
}
void WinogradDataGradient(const ConvShape&, const bf16*, const uint32_t*, const bf16*, bf16*, Scratch&) { NotBuilt(); }
void WinogradWeightGradient(const ConvShape&, const bf16*, const bf16*, const uint32_t*, float*, Scratch&) {
  NotBuilt();
}

}  // namespace spotter::kernels
