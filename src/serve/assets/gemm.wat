;; SPDX-License-Identifier: Apache-2.0
;; C (m, n) = A (m, k) x B (k, n), fp32, for the page that classifies by itself (network.js). Four rows and eight columns
;; at a time: eight sums, two vectors of B and one value of A fit into the sixteen registers of SSE.
;;   a: m rows of k values; m a multiple of 4
;;   b: n / 8 panels of k rows of 8 values; n a multiple of 8
;;   c: m rows of n values
(module
  (import "page" "memory" (memory 1))
  (func (export "gemm") (param $a i32) (param $b i32) (param $c i32) (param $m i32) (param $k i32) (param $n i32)
    (local $column i32) (local $row i32) (local $pa i32) (local $pb i32) (local $end i32) (local $line i32) (local $pc i32)
    (local $b0 v128) (local $b1 v128) (local $x v128)
    (local $s00 v128) (local $s01 v128) (local $s10 v128) (local $s11 v128)
    (local $s20 v128) (local $s21 v128) (local $s30 v128) (local $s31 v128)
    (local.set $line (i32.shl (local.get $k) (i32.const 2)))  ;; bytes of a row of A
    (loop $columns
      (local.set $row (i32.const 0))
      (loop $rows
        (local.set $s00 (v128.const i32x4 0 0 0 0)) (local.set $s01 (v128.const i32x4 0 0 0 0))
        (local.set $s10 (v128.const i32x4 0 0 0 0)) (local.set $s11 (v128.const i32x4 0 0 0 0))
        (local.set $s20 (v128.const i32x4 0 0 0 0)) (local.set $s21 (v128.const i32x4 0 0 0 0))
        (local.set $s30 (v128.const i32x4 0 0 0 0)) (local.set $s31 (v128.const i32x4 0 0 0 0))
        (local.set $pa (i32.add (local.get $a) (i32.mul (local.get $row) (local.get $line))))
        (local.set $end (i32.add (local.get $pa) (local.get $line)))
        (local.set $pb (i32.add (local.get $b) (i32.mul (local.get $column) (local.get $line))))
        (loop $products
          (local.set $b0 (v128.load (local.get $pb)))
          (local.set $b1 (v128.load offset=16 (local.get $pb)))
          (local.set $x (v128.load32_splat (local.get $pa)))
          (local.set $s00 (f32x4.add (local.get $s00) (f32x4.mul (local.get $x) (local.get $b0))))
          (local.set $s01 (f32x4.add (local.get $s01) (f32x4.mul (local.get $x) (local.get $b1))))
          (local.set $x (v128.load32_splat (i32.add (local.get $pa) (local.get $line))))
          (local.set $s10 (f32x4.add (local.get $s10) (f32x4.mul (local.get $x) (local.get $b0))))
          (local.set $s11 (f32x4.add (local.get $s11) (f32x4.mul (local.get $x) (local.get $b1))))
          (local.set $x (v128.load32_splat (i32.add (local.get $pa) (i32.shl (local.get $line) (i32.const 1)))))
          (local.set $s20 (f32x4.add (local.get $s20) (f32x4.mul (local.get $x) (local.get $b0))))
          (local.set $s21 (f32x4.add (local.get $s21) (f32x4.mul (local.get $x) (local.get $b1))))
          (local.set $x (v128.load32_splat (i32.add (local.get $pa) (i32.mul (local.get $line) (i32.const 3)))))
          (local.set $s30 (f32x4.add (local.get $s30) (f32x4.mul (local.get $x) (local.get $b0))))
          (local.set $s31 (f32x4.add (local.get $s31) (f32x4.mul (local.get $x) (local.get $b1))))
          (local.set $pb (i32.add (local.get $pb) (i32.const 32)))
          (br_if $products (i32.lt_u (local.tee $pa (i32.add (local.get $pa) (i32.const 4))) (local.get $end))))
        (local.set $pc (i32.add (local.get $c)
          (i32.shl (i32.add (i32.mul (local.get $row) (local.get $n)) (local.get $column)) (i32.const 2))))
        (v128.store (local.get $pc) (local.get $s00)) (v128.store offset=16 (local.get $pc) (local.get $s01))
        (local.set $pc (i32.add (local.get $pc) (i32.shl (local.get $n) (i32.const 2))))
        (v128.store (local.get $pc) (local.get $s10)) (v128.store offset=16 (local.get $pc) (local.get $s11))
        (local.set $pc (i32.add (local.get $pc) (i32.shl (local.get $n) (i32.const 2))))
        (v128.store (local.get $pc) (local.get $s20)) (v128.store offset=16 (local.get $pc) (local.get $s21))
        (local.set $pc (i32.add (local.get $pc) (i32.shl (local.get $n) (i32.const 2))))
        (v128.store (local.get $pc) (local.get $s30)) (v128.store offset=16 (local.get $pc) (local.get $s31))
        (br_if $rows (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 4))) (local.get $m))))
      (br_if $columns (i32.lt_u (local.tee $column (i32.add (local.get $column) (i32.const 8))) (local.get $n))))))
