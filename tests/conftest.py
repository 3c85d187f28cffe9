"""One thread for the suite: its tensors are small, and threads that wait for a core cost more."""

import torch

torch.set_num_threads(1)
