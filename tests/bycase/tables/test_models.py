from bycase.tables.models import network_words, order_classes


def test_a_network_is_named_with_its_weights() -> None:
    assert network_words({"model": "vgg16", "weights": "imagenet"}) == "vgg16, ImageNet weights"
    fitted = {"model": "vgg16", "weights": "imagenet", "head": "logistic", "head_setting": "C = 0.01"}
    assert network_words(fitted) == "vgg16, ImageNet weights, logistic regression (C = 0.01)"
    imported = {"model": "imported-uni", "weights": "a/uni.h5", "head": "neighbours", "head_setting": "k = 9, cosine"}
    assert network_words(imported) == "imported features of uni.h5, k nearest neighbours (k = 9, cosine)"
    assert network_words({"model": "vgg16", "weights": "/a/best.h5"}) == "vgg16, weights of best.h5"


def test_the_positive_class_comes_last_of_two() -> None:
    assert order_classes(["Benign", "Malignant"], "Malignant") == ["Benign", "Malignant"]
    assert order_classes(["Benign", "Malignant"], "Benign") == ["Malignant", "Benign"]
    assert order_classes(["a", "b", "c"], "b") == ["a", "b", "c"]
    assert order_classes(["a", "b", "c"], None) == ["a", "b", "c"]
