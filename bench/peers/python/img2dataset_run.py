"""img2dataset as it is, two processes. Arguments: list, folder."""
import sys

from img2dataset import download

if __name__ == "__main__":
    list_path, folder = sys.argv[1:3]
    download(
        url_list=list_path,
        output_folder=folder,
        input_format="txt",
        output_format="webdataset",
        image_size=256,
        resize_mode="keep_ratio_largest",
        encode_quality=95,
        processes_count=2,
        thread_count=32,
        number_sample_per_shard=1000,
    )
