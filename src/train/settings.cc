// SPDX-License-Identifier: Apache-2.0
#include "train/settings.h"

namespace spotter {
namespace {

/// Adds the options under a heading of the help.
void Append(std::vector<Option>& list, const std::string& group, std::vector<Option> options) {
  for (Option& option : options) {
    option.group = group;
    list.push_back(std::move(option));
  }
}

Option Choice(const char* name, std::string* target, const char* help, std::vector<std::string> choices) {
  Option option{name, target, help};
  option.choices = std::move(choices);
  return option;
}

Option OnResume(Option option) {
  option.on_resume = true;
  return option;
}

}  // namespace

std::vector<Option> DataOptions(DataSettings& s) {
  std::vector<Option> list;
  Append(list, "Data",
         {{"image-size", &s.image_size,
           "side in pixels that images are resized to; 0 keeps a common size of up to 64 x 64, else takes 64", 0, 1024},
          Choice("resize", &s.resize,
                 "how an image of another size is fitted: stretched, cropped to its centre, or padded with black",
                 ResizePolicyNames()),
          {"validation-fraction", &s.validation_fraction,
           "share of the training images held out for validation, where the data has none", 0, 0.9},
          {"test-fraction", &s.test_fraction,
           "share of the images held out for the test, where the data is not divided at all", 0, 0.9},
          {"strict", &s.strict, "fail on an unreadable image rather than skip it"}});
  return list;
}

std::vector<Option> ComputeOptions(ComputeSettings& s) {
  std::vector<Option> list;
  Append(list, "Machine",
         {OnResume(Choice("device", &s.device, "where to compute; auto takes CUDA where there is one",
                          {"auto", "cpu", "cuda"})),
          OnResume(Choice("precision", &s.precision,
                          "of products and activations; auto takes bf16 where the processor has it",
                          {"auto", "bf16", "fp32"})),
          OnResume({"threads", &s.threads, "threads to compute with; 0 is one a core", 0, 1024})});
  return list;
}

std::vector<Option> TrainOptions(TrainSettings& s) {
  std::vector<Option> list = DataOptions(s.data);
  Append(list, "Data",
         {Choice("normalize", &s.normalize, "standard: to mean 0 and deviation 1 a channel; unit: to [0, 1]",
                 {"standard", "unit"})});
  Append(list, "Model",
         {{"model", &s.model,
           "a name (spotter models) or a layer list such as \"conv 32 relu, maxpool 2, flatten, dense classes\""}});
  Append(
      list, "Training",
      {OnResume({"epochs", &s.epochs, "times that every training image is seen", 1, 100000}),
       {"batch-size", &s.batch_size, "images a step", 1, 1000000},
       {"seed", &s.seed, "of the initial weights, the order, the augmentation, dropout and the split", 0, 9e15},
       {"label-smoothing", &s.label_smoothing, "share of the target given to all classes alike", 0, 0.99},
       {"class-weights", &s.class_weights,
        "weights of the classes in the loss: none, balanced (by rarity), or as in \"cat=2,dog=0.5\""},
       {"backward-share", &s.backward_share,
        "share of a batch's images that the backward pass is for, those with the largest gradients, so that a step "
        "takes less time (selective backpropagation); where libtorch computes (fp32, CUDA, processors without AVX-512 "
        "bf16) the others' gradient is 0, but costs as much",
        0.01, 1},
       {"backward-share-after", &s.backward_share_after, "backward-share: so many epochs first go back for all images",
        0, 1e5},
       {"freeze-through", &s.freeze_through,
        "this layer (spotter models names them) and all before it stop learning early, so that a step takes less time "
        "(FreezeOut); none: all learn to the end"},
       {"freeze-after", &s.freeze_after,
        "freeze-through: the share of the epochs after which; before, linear, cosine and one-cycle take the rate of "
        "those layers to its end by then",
        0.01, 0.99}});
  Append(
      list, "Optimizer",
      {Choice("optimizer", &s.optimizer.name, "how the weights follow the gradient", OptimizerNames()),
       {"learning-rate", &s.schedule.learning_rate,
        "the learning rate, before the schedule; muon: of the filters. Where --optimizer names another than the "
        "recipe, "
        "its usual one unless given: 0.001, sgd 0.01, muon 0.02",
        1e-12, 1e3},
       {"weight-decay", &s.optimizer.weight_decay,
        "of the kernels: L2 for adam and sgd, decoupled for adamw. With bias-learning-rate sgd has it for biases too, "
        "times learning-rate / bias-learning-rate. muon: of all but the filters, L2 of weight-decay / the group's rate",
        0, 10},
       {"momentum", &s.optimizer.momentum,
        "sgd, muon: how much of the last step is kept in the next; muon: of all but filters", 0, 0.9999},
       {"nesterov", &s.optimizer.nesterov, "sgd, muon: Nesterov's momentum; muon's filters always have it"},
       {"muon-momentum", &s.optimizer.muon_momentum, "muon: momentum of the filters", 0, 0.9999},
       {"bias-learning-rate", &s.optimizer.bias_learning_rate,
        "sgd, muon: of biases, scales and shifts, before the schedule; 0: learning-rate. It is for the batch's mean "
        "loss: a rate that was published for its sum, as airbench's, is multiplied by the batch size",
        0, 1e6},
       {"head-learning-rate", &s.optimizer.head_learning_rate, "sgd, muon: of dense layers' kernels, likewise", 0, 1e6},
       {"whitening-bias-epochs", &s.optimizer.whitening_bias_epochs,
        "sgd, muon: epochs in which the bias of 'conv whitening' is trained, its rate falling to 0; then it stays", 0,
        1e5},
       {"lookahead", &s.optimizer.lookahead,
        "steps after which the weights become their own moving average, again and again; 0 never", 0, 1e6},
       {"beta1", &s.optimizer.beta1, "adam, adamw: decay of the mean of gradients", 0, 0.9999},
       {"beta2", &s.optimizer.beta2, "adam, adamw: decay of the mean of squared gradients", 0, 0.999999},
       {"epsilon", &s.optimizer.epsilon, "adam, adamw: added to the root, against division by zero", 1e-16, 1}});
  Append(list, "Learning-rate schedule",
         {Choice("schedule", &s.schedule.name, "how the learning rate changes", ScheduleNames()),
          {"warmup-epochs", &s.schedule.warmup_epochs,
           "epochs over which the rate rises in a straight line, before the schedule begins (one-cycle has its own)", 0,
           1000},
          {"warmup-start-factor", &s.schedule.warmup_start_factor,
           "warmup-epochs: the share of the learning rate that it rises from", 0, 1},
          {"min-learning-rate", &s.schedule.min_learning_rate,
           "where cosine and linear end, and what plateau and step stay above", 0, 1e3},
          {"step-epochs", &s.schedule.step_epochs, "step: epochs between two falls", 0.001, 1e5},
          {"step-factor", &s.schedule.step_factor, "step: what the rate is multiplied by", 0.0001, 1},
          {"plateau-factor", &s.schedule.plateau_factor,
           "plateau: what the rate is multiplied by when the validation loss stops falling", 0.0001, 1},
          {"plateau-patience", &s.schedule.plateau_patience,
           "plateau: epochs without a lower validation loss before that", 1, 1e5}});
  Append(
      list, "Stopping",
      {OnResume({"early-stopping", &s.early_stopping,
                 "stop after so many epochs without a better monitored value; 0 never", 0, 1e5}),
       Choice("monitor", &s.monitor, "what tells the best epoch", {"validation-loss", "validation-accuracy"}),
       Choice("keep", &s.keep, "the weights that become the model: of the best epoch or the last", {"best", "last"})});
  Append(
      list, "Augmentation",
      {{"flip", &s.flip, "mirror half of the images left to right, anew each epoch"},
       {"alternating-flip", &s.alternating_flip,
        "with flip: mirror each image in every second epoch, the first or the second drawn once"},
       {"shift", &s.shift, "move images by up to so many pixels each way", 0, 512},
       Choice("shift-fill", &s.shift_fill, "what comes in at the border: the image mirrored, or black",
              {"reflect", "zero"}),
       {"brightness", &s.brightness, "add up to so much, or take it away, from an image's normalised values", 0, 10},
       {"contrast", &s.contrast, "then multiply them by 1 plus or minus up to so much", 0, 1},
       {"cutout", &s.cutout, "blank a square of so many pixels a side, anywhere inside each image; 0 none", 0, 512}});
  Append(list, "Use of the model",
         {{"views", &s.views,
           "views of an image that the finished model answers by: 1; 2, with its mirror; 6, with both moved by a pixel "
           "too",
           1, 6},
          {"views-below", &s.views_below,
           "only for images whose largest probability from one view is below this; 1 for all", 0, 1}});
  for (Option& option : ComputeOptions(s.compute)) list.push_back(std::move(option));
  return list;
}

LoadOptions ToLoadOptions(const DataSettings& s, int threads) {
  LoadOptions options;
  options.image_size = static_cast<int>(s.image_size);
  options.resize = ResizePolicyFromName(s.resize);
  options.strict = s.strict;
  options.threads = threads;
  return options;
}

Augmentation ToAugmentation(const TrainSettings& s) {
  return {.flip = s.flip,
          .shift = static_cast<int>(s.shift),
          .fill = s.shift_fill == "zero" ? ShiftFill::kZero : ShiftFill::kReflect,
          .alternating = s.alternating_flip,
          .brightness = s.brightness,
          .contrast = s.contrast,
          .cutout = static_cast<int>(s.cutout)};
}

}  // namespace spotter
